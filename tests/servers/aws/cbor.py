"""CBOR (RFC 8949) as far as services speak it (Smithy RPC v2): numbers, texts, lists, maps, and times, which are tagged
numbers."""

import struct

END = object()


def read(raw):
    """The value of some bytes."""
    value, at = item(raw, 0)
    if at != len(raw):
        raise ValueError("more than one value")
    return value


def item(raw, at):
    kind, more = raw[at] >> 5, raw[at] & 31
    at += 1
    if kind == 7:
        if more in (20, 21, 22, 23):
            return {20: False, 21: True}.get(more), at
        if more == 31:
            return END, at
        size, form = {25: (2, ">e"), 26: (4, ">f"), 27: (8, ">d")}[more]
        return struct.unpack(form, raw[at : at + size])[0], at + size
    count = more if more < 24 else None
    if 24 <= more <= 27:
        size = 1 << (more - 24)
        count, at = int.from_bytes(raw[at : at + size], "big"), at + size
    if kind in (0, 1):
        return count if kind == 0 else -1 - count, at
    if kind == 6:
        return item(raw, at)
    if kind in (2, 3) and count is not None:
        text = raw[at : at + count]
        return text.decode() if kind == 3 else text, at + count
    values, wanted = [], count * 2 if kind == 5 and count is not None else count
    while wanted is None or len(values) < wanted:
        value, at = item(raw, at)
        if value is END:
            break
        values.append(value)
    if kind == 5:
        return dict(zip(values[::2], values[1::2], strict=True)), at
    return (values if kind == 4 else "".join(values)), at


def write(value):
    """A value as bytes."""
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, dict):
        # Maps without a count are what real services send.
        return b"\xbf" + b"".join(write(key) + member(key, inner) for key, inner in value.items()) + b"\xff"
    return head(4, len(value)) + b"".join(map(write, value))


def member(key, value):
    """A member of a map. Times are tagged."""
    return (b"\xc1" if key.endswith("Timestamp") and isinstance(value, (int, float)) else b"") + write(value)


def head(kind, count):
    for size, more in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if count < 24:
            return bytes([kind << 5 | count])
        if count < 1 << (8 * size):
            return bytes([kind << 5 | more]) + count.to_bytes(size, "big")
    raise ValueError("too great")
