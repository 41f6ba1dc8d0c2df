//! The place of an error in a value, found in the text that was written before it: writing itself remembers nothing.

use crate::codec::Step;

/// A list or object that is open where the text ends.
enum Level<'a> {
    List {
        item: usize,
    },
    /// With its last name, unless the text ends before one is complete.
    Object {
        name: Option<&'a [u8]>,
    },
}

/// The steps to the value that is missing where `text` ends.
#[cold]
pub(super) fn place(text: &[u8]) -> Vec<Step> {
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'[' => open.push(Level::List { item: 0 }),
            b'{' => open.push(Level::Object { name: None }),
            b']' | b'}' => _ = open.pop(),
            b',' => match open.last_mut() {
                Some(Level::List { item }) => *item += 1,
                Some(Level::Object { name }) => *name = None,
                None => {}
            },
            b'"' => {
                at += string_length(&text[at..]);
                if let Some(Level::Object { name: name @ None }) = open.last_mut() {
                    *name = text.get(start..at);
                }
            }
            _ => {}
        }
    }
    open.iter().filter_map(step).collect()
}

/// Bytes up to the end of a string, with its closing quote.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 1)
}

fn step(level: &Level<'_>) -> Option<Step> {
    match level {
        Level::List { item } => Some(Step::Item(*item)),
        Level::Object { name } => serde_json::from_slice((*name)?).ok().map(Step::Member),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Error;

    #[test]
    fn the_place_is_where_the_text_ends() {
        let at = |text: &str| Error::new("wrong").at(place(text.as_bytes()).into_iter()).to_string();
        assert_eq!(at(""), "wrong");
        assert_eq!(at("["), "`[0]`: wrong");
        assert_eq!(at(r#"{"a":[1,{"b":"],\\"},"#), "`a[2]`: wrong");
        assert_eq!(at(r#"{"x":{},"q\"":[[],[1,2],"#), r#"`["q\""][2]`: wrong"#);
        // The key is at fault.
        assert_eq!(at(r#"[{"a":1,"#), "`[0]`: wrong");
    }
}
