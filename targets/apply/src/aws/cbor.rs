//! JSON as CBOR (RFC 8949) and back, for services that speak that.

use minicbor::data::Type;
use minicbor::decode::Error;
use minicbor::{Decoder, Encoder};
use serde_json::{Map, Number, Value};

/// A value as CBOR.
pub(super) fn written(value: &Value) -> Result<Vec<u8>, String> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder, value).map_err(|error| error.to_string())?;
    Ok(encoder.into_writer())
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write(encoder: &mut Encoder<Vec<u8>>, value: &Value) -> Written {
    match value {
        Value::Null => encoder.null().map(drop),
        Value::Bool(value) => encoder.bool(*value).map(drop),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => encoder.u64(number).map(drop),
            (None, Some(number)) => encoder.i64(number).map(drop),
            (None, None) => encoder.f64(number.as_f64().unwrap_or_default()).map(drop),
        },
        Value::String(text) => encoder.str(text).map(drop),
        Value::Array(items) => {
            encoder.array(items.len() as u64)?;
            items.iter().try_for_each(|item| write(encoder, item))
        }
        Value::Object(members) => {
            encoder.map(members.len() as u64)?;
            members.iter().try_for_each(|(key, value)| {
                encoder.str(key)?;
                write(encoder, value)
            })
        }
    }
}

/// A value that came as CBOR. What JSON has no word for, as bytes, is nothing.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    value(&mut Decoder::new(bytes)).map_err(|error| error.to_string())
}

fn value(decoder: &mut Decoder<'_>) -> Result<Value, Error> {
    Ok(match decoder.datatype()? {
        Type::Bool => decoder.bool()?.into(),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => decoder.u64()?.into(),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => decoder.i64()?.into(),
        Type::F16 | Type::F32 | Type::F64 => Number::from_f64(decoder.f64()?).into(),
        Type::String | Type::StringIndef => {
            decoder.str_iter()?.collect::<Result<Vec<_>, _>>()?.concat().into()
        }
        Type::Array | Type::ArrayIndef => {
            let count = decoder.array()?;
            let mut items = Vec::new();
            while !is_over(decoder, count, items.len())? {
                items.push(value(decoder)?);
            }
            items.into()
        }
        Type::Map | Type::MapIndef => {
            let count = decoder.map()?;
            let mut members = Map::new();
            let mut read = 0;
            while !is_over(decoder, count, read)? {
                let key = decoder.str_iter()?.collect::<Result<Vec<_>, _>>()?.concat();
                members.insert(key, value(decoder)?);
                read += 1;
            }
            members.into()
        }
        // A time is a tagged number.
        Type::Tag => {
            decoder.tag()?;
            value(decoder)?
        }
        Type::Null
        | Type::Undefined
        | Type::Int
        | Type::Simple
        | Type::Bytes
        | Type::BytesIndef
        | Type::Break
        | Type::Unknown(_) => {
            decoder.skip()?;
            Value::Null
        }
    })
}

/// Whether a list of so many items ends here; one that does not say how many it has ends where it says so.
fn is_over(decoder: &mut Decoder<'_>, count: Option<u64>, read: usize) -> Result<bool, Error> {
    if let Some(count) = count {
        return Ok(read as u64 == count);
    }
    let is_over = decoder.datatype()? == Type::Break;
    if is_over {
        decoder.skip()?;
    }
    Ok(is_over)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let all = json!({
            "text": "ä", "whole": 7, "less": -7, "threshold": 7200.0, "part": 0.25, "yes": true, "none": null,
            "list": [1, [2.5], {}], "deep": { "a": { "b": [] } },
        });
        assert_eq!(read(&written(&all).unwrap()), Ok(all));
    }

    #[test]
    fn lists_without_an_end_times_and_texts_in_pieces_are_read() {
        // {_ "a": [_ 1, 1(1.5)], "b": (_ "x", "y"), "c": f16 1.0 }
        let bytes = b"\xbf\x61a\x9f\x01\xc1\xf9\x3e\x00\xff\x61b\x7f\x61x\x61y\xff\x61c\xf9\x3c\x00\xff";
        assert_eq!(read(bytes), Ok(json!({ "a": [1, 1.5], "b": "xy", "c": 1.0 })));
        assert!(read(b"\xbf\x61a").is_err(), "cut");
    }
}
