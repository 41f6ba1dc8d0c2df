//! Compares the answers of two servers, without the parts that are random or free to choose.

use std::collections::HashMap;

/// The names of v1 attachments in the order in which they appear in one side of an exchange, since
/// their numbers count everything that a server ever sent.
#[derive(Default)]
pub(super) struct Keys(HashMap<String, usize>);

impl Keys {
    /// A JSON message without the freedom that it leaves: no space, one way to write a number, no
    /// random ids, attachments numbered from 0.
    pub(super) fn plain(&mut self, json: &str) -> String {
        let json = spelt_alike(json);
        let mut parts = json.split("\"wslink_bin");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (number, rest) = part.split_once('"').unwrap_or((part, ""));
            let next = self.0.len();
            let renamed = self.0.entry(number.to_owned()).or_insert(next);
            out += &format!("\"wslink_bin#{renamed}\"{rest}");
        }
        out
    }
}

fn spelt_alike(json: &str) -> String {
    let mut out = String::new();
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            ' ' => {
                rest = &rest[1..];
                continue;
            }
            '"' => string_length(rest),
            '0'..='9' | '-' => rest.find([',', ']', '}']).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        out += &match token.parse::<f64>() {
            Ok(number) if token.contains(['.', 'e', 'E']) => format!("{number:?}"),
            _ if hex_digits(token).is_some_and(|text| text.len() == 33 && text.starts_with('c')) => "\"CLIENT\"".to_owned(),
            _ if hex_digits(token).is_some_and(|text| text.len() == 16) => "\"TRACE\"".to_owned(),
            _ => token.to_owned(),
        };
        rest = after;
    }
    out
}

/// What a JSON string says, when it is nothing but hexadecimal digits.
fn hex_digits(token: &str) -> Option<&str> {
    let text = token.strip_prefix('"')?.strip_suffix('"')?;
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(text)
}

fn string_length(json: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    json.len()
}

/// A MessagePack message with every client id and the size of chunks that the server asks for blanked
/// out.
pub(super) fn masked(mut message: Vec<u8>) -> Vec<u8> {
    const SIZE: &[u8] = b"\xaamaxMsgSize\xce";
    if let Some(at) = message.windows(SIZE.len()).position(|window| window == SIZE)
        && let Some(size) = message.get_mut(at + SIZE.len()..at + SIZE.len() + 4)
    {
        size.fill(0);
    }
    let is_id = |id: &[u8]| id[0] == b'c' && id[1..].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if let Some(at) = message.windows(33).position(is_id) {
        message[at..at + 33].fill(b'c');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_alike_and_what_is_said_is_not() {
        let plain = |json| Keys::default().plain(json);
        assert_eq!(plain(r#"{"a": 1.50, "b c": "x \" y"}"#), r#"{"a":1.5,"b c":"x \" y"}"#);
        assert_ne!(plain("[1]"), plain("[1.0]"));
        assert_eq!(plain(r#"["wslink_bin7","wslink_bin9","wslink_bin7"]"#), r#"["wslink_bin#0","wslink_bin#1","wslink_bin#0"]"#);
        assert_eq!(plain(r#"["cdca2cd9ea36e4d8eab1da8fafae1ace3","0123456789abcdef"]"#), r#"["CLIENT","TRACE"]"#);
        assert_eq!(plain(r#"["0123456789abcde"]"#), r#"["0123456789abcde"]"#);
    }
}
