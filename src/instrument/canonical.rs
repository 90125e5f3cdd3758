//! The canonical form of a document: the bytes that are hashed.
//!
//! Keys in the order of their bytes, no insignificant space, numbers without exponent or trailing zeros, strings with
//! the fewest escapes: RFC 8785 for the documents of this room, whose keys are ASCII and whose numbers are bounded.
//! Written here so that no feature of `serde_json` that some other crate switches on can change a hash.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The canonical JSON of a document.
pub(crate) fn to_canonical_json<T: Serialize>(document: &T) -> String {
    let value = serde_json::to_value(document).expect("documents of this room have string keys and finite numbers");
    let mut out = String::new();
    write_value(&value, &mut out);
    out
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => write_object(fields, out),
    }
}

fn write_object(fields: &serde_json::Map<String, Value>, out: &mut String) {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    out.push('{');
    for (i, (key, value)) in sorted.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_string(key, out);
        out.push(':');
        write_value(value, out);
    }
    out.push('}');
}

fn write_number(number: &serde_json::Number, out: &mut String) {
    let text = match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(n), _, _) => n.to_string(),
        (_, Some(n), _) => n.to_string(),
        // `+ 0.0` turns a negative zero into zero.
        (_, _, Some(x)) => (x + 0.0).to_string(),
        _ => number.to_string(),
    };
    out.push_str(&text);
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_and_numbers_are_plain() {
        let document = json!({"b": [1.0, 2.5, -0.0, true, null], "a": {"z": "男\"\\\n\u{1}", "A": 18}});
        let expected = "{\"a\":{\"A\":18,\"z\":\"男\\\"\\\\\\n\\u0001\"},\"b\":[1,2.5,0,true,null]}";
        assert_eq!(to_canonical_json(&document), expected);
    }

    #[test]
    fn the_hash_is_sha_256_in_hexadecimal() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
