//! JSON bodies: objects whose fields are all known, and bytes as text or in base64.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::problem::{Kind, Problem};

/// The longest name of an unknown field that is repeated.
const MOST_SHOWN: usize = 64;

/// The fields of an object, to be taken out one by one.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// The object that `body` holds.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Problem> {
        // What the parser says repeats nothing of the text.
        let value = serde_json::from_slice(body)
            .map_err(|error| Problem::new(Kind::MalformedJson, error.to_string()))?;
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(Problem::invalid("the body must be an object, such as {}")),
        }
    }

    /// The object's fields as they are.
    pub(super) fn into_map(self) -> Map<String, Value> {
        self.0
    }

    pub(super) fn from_map(map: Map<String, Value>) -> Self {
        Self(map)
    }

    /// A field's value; `None` if it is not there or null.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// A list that must be there, with no more than `most` items.
    pub(super) fn take_list(&mut self, name: &str, most: usize) -> Result<Vec<Value>, Problem> {
        match self.take(name) {
            Some(Value::Array(items)) if items.len() <= most => Ok(items),
            Some(Value::Array(items)) => Err(Problem::invalid(format!(
                "{name} has {} items; {most} are possible at once",
                items.len()
            ))),
            _ => Err(Problem::invalid(format!("{name} must be there, and be a list"))),
        }
    }

    /// Whether a switch is on; off if it is not there.
    pub(super) fn take_switch(&mut self, name: &str) -> Result<bool, Problem> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(is_on)) => Ok(is_on),
            Some(_) => Err(Problem::invalid(format!("{name} must be true or false"))),
        }
    }

    /// A text, if it is there.
    pub(super) fn take_text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Problem::invalid(format!("{name} must be a text in quotes"))),
        }
    }

    /// Nothing may be left once all that is `known` has been taken.
    pub(super) fn finish(self, known: &[&str]) -> Result<(), Problem> {
        let Some(name) = self.0.keys().find(|name| !known.contains(&name.as_str())) else {
            return Ok(());
        };
        let shown: String = name.chars().take(MOST_SHOWN).collect();
        let known = known.join(", ");
        Err(Problem::invalid(format!("there is no field {shown:?} here; known are {known}")))
    }
}

/// The bytes that a text or `{"base64": "…"}` stands for; `name` says in problems where it stands.
pub(super) fn bytes_of(value: Value, name: &str) -> Result<Bytes, Problem> {
    let wrong =
        |what| Problem::invalid(format!("{name} must be a text or {{\"base64\": \"…\"}}{what}"));
    match value {
        Value::String(text) => Ok(text.into()),
        Value::Object(fields) => match fields.get("base64") {
            Some(Value::String(text)) if fields.len() == 1 => {
                let bytes = BASE64_STANDARD.decode(text);
                bytes.map(Bytes::from).map_err(|_| wrong(", with padding"))
            }
            _ => Err(wrong("")),
        },
        _ => Err(wrong("")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::json_bytes;

    #[test]
    fn bytes_come_back_as_they_were() {
        let check = |value: Value, want: &[u8]| {
            let bytes = bytes_of(value, "here").unwrap();
            assert_eq!(&bytes[..], want);
            assert_eq!(bytes_of(json_bytes(want), "here").unwrap(), bytes);
        };
        check(json!(""), b"");
        check(json!("é\u{0}"), "é\0".as_bytes());
        check(json!({"base64": "/wA="}), &[0xff, 0]);
        check(json!({"base64": ""}), b"");
    }

    #[test]
    fn what_is_neither_is_refused_without_repeating_it() {
        let check = |value: Value| {
            let problem = bytes_of(value, "keys[3]").unwrap_err();
            assert!(format!("{problem:?}").contains("keys[3] must be"), "{problem:?}");
            assert!(!format!("{problem:?}").contains("secret"));
        };
        check(json!(7));
        check(json!(["secret"]));
        check(json!({"base64": "secret"}));
        check(json!({"base64": "AA==", "secret": 1}));
        check(json!({"base64": "AA"}));
    }
}
