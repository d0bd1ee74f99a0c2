//! Names that fit a limit and stay distinct.

const DIGITS: usize = 8;

/// Joins `parts` with `-`; a name longer than `limit` characters is cut and ends in `-` and eight hexadecimal
/// digits of a hash of all parts.
///
/// Deterministic on every machine and in every version, since a name that changes replaces what bears it. The
/// name holds characters of the parts, `-` and `0-9a-f`, so a character set that has these is kept. A limit
/// too small for any text leaves as many digits of the hash as fit.
///
/// Distinct inputs that are cut get distinct names, short of a collision in 32 bits of FNV-1a, and short
/// names can join alike (`a-b`, `c` and `a`, `b-c`). The hash is no defence against someone who looks for
/// collisions: whoever makes names from untrusted text must refuse repetitions, compared without case for
/// roles.
#[must_use]
pub fn bounded_name(parts: &[&str], limit: usize) -> String {
    let joined = parts.join("-");
    if joined.chars().count() <= limit {
        return joined;
    }
    let digits = format!("{:08x}", folded(hash(parts)));
    let kept: String = joined.chars().take(limit.saturating_sub(DIGITS + 1)).collect();
    match kept.trim_end_matches('-') {
        "" => digits.chars().take(limit).collect(),
        kept => format!("{kept}-{digits}"),
    }
}

/// FNV-1a, 64 bits (offset basis and prime of the authors' reference), over every part and an end mark that
/// UTF-8 cannot contain, so that moving text from one part to the next changes the hash.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Both halves, as the authors of FNV advise over dropping one.
fn folded(hash: u64) -> u64 {
    (hash >> 32) ^ (hash & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_within_the_limit_are_joined() {
        assert_eq!(bounded_name(&["aip", "acme", "support"], 16), "aip-acme-support");
        assert_eq!(bounded_name(&["a"], 1), "a");
        assert_eq!(bounded_name(&[], 0), "");
    }

    // A changed expectation here would rename every long role of every user.
    #[test]
    fn names_never_change_between_versions() {
        assert_eq!(bounded_name(&["aip", "acme", "support"], 15), "aip-ac-aaec4f54");
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // Test vector of the reference for "foobar" followed by 0xff, by one more step from its published
        // hash.
        let published: u64 = 0x8594_4171_f739_67e8;
        assert_eq!(hash(&["foobar"]), (published ^ 0xff).wrapping_mul(0x0000_0100_0000_01b3));
    }

    #[test]
    fn every_limit_is_kept() {
        for limit in 0..80 {
            for part in ["x", "-", "ß日😀", "a-"] {
                let name = bounded_name(&[&part.repeat(50), "tail"], limit);
                assert!(name.chars().count() <= limit, "{limit}: {name}");
                assert!(limit == 0 || !name.is_empty());
            }
        }
    }

    #[test]
    fn the_character_set_is_kept() {
        let parts = ["team_a", "agent.b@c", &"x".repeat(90)];
        let name = bounded_name(&parts, 64);
        assert_eq!(name.len(), 64);
        assert!(
            name.chars().all(|c| parts.concat().contains(c) || c == '-' || c.is_ascii_hexdigit()),
            "{name}"
        );
        assert_eq!(crate::limits::check_role_name(&name), Ok(()));
    }

    #[test]
    fn different_inputs_give_different_names() {
        let long = "x".repeat(100);
        let mut names = BTreeSet::new();
        for n in 0..2000 {
            assert!(names.insert(bounded_name(&[&long, &n.to_string()], 64)), "{n}");
        }
        assert!(names.insert(bounded_name(&[&long.to_uppercase()], 64).to_lowercase()));
    }

    #[test]
    fn the_border_between_parts_counts_in_cut_names() {
        let long = "x".repeat(100);
        assert_ne!(bounded_name(&[&long, "a", "b"], 64), bounded_name(&[&long, "a-b"], 64));
    }

    #[test]
    fn cut_names_have_no_double_dash() {
        assert!(!bounded_name(&["abc", "defghijklmn"], 13).contains("--"));
        assert!(bounded_name(&["abc", "defghijklmn"], 13).starts_with("abc-"));
    }
}
