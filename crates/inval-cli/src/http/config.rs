//! The configuration of a namespace in JSON, with the fields of the configuration file.

use std::time::Duration;

use inval_core::{ChangeError, Config};
use inval_replay::ByteSize;
use serde_json::{Map, Value, json};

use super::call::duration;
use super::json::Fields;
use super::problem::Problem;
use crate::client::Span;

const FIELDS: [&str; 7] =
    ["strategy", "max_entries", "max_bytes", "ttl", "time_to_idle", "ttl_jitter", "partitions"];

/// What somebody asks for: a configuration, and the number of partitions if it is said.
pub(super) fn parse(mut fields: Fields) -> Result<(Config, Option<u32>), Problem> {
    let mut config = Config::builder();
    if let Some(name) = fields.take_text("strategy")? {
        let wrong = |error: inval_core::UnknownStrategy| Problem::invalid(error.to_string());
        config = config.strategy(name.parse().map_err(wrong)?);
    }
    if let Some(entries) = fields.take("max_entries") {
        config = config.max_entries(number("max_entries", &entries)?);
    }
    if let Some(bytes) = fields.take("max_bytes") {
        config = config.max_bytes(size("max_bytes", &bytes)?);
    }
    if let Some(ttl) = fields.take_text("ttl")? {
        config = config.ttl(duration("ttl", &ttl)?);
    }
    if let Some(idle) = fields.take_text("time_to_idle")? {
        config = config.time_to_idle(duration("time_to_idle", &idle)?);
    }
    if let Some(jitter) = fields.take("ttl_jitter") {
        let wrong = || Problem::invalid("ttl_jitter must be a number");
        config = config.ttl_jitter(jitter.as_f64().ok_or_else(wrong)?);
    }
    let partitions = match fields.take("partitions") {
        None => None,
        Some(count) => {
            let count = u32::try_from(number("partitions", &count)?).ok();
            let wrong = || Problem::invalid("partitions must be from 1 to 65536");
            Some(count.filter(|count| (1..=65_536).contains(count)).ok_or_else(wrong)?)
        }
    };
    fields.finish(&FIELDS)?;
    Ok((config.build()?, partitions))
}

/// The same configuration with what a merge patch (RFC 7396) changes of it; the number of partitions cannot change.
pub(super) fn patched(config: &Config, partitions: u32, patch: Fields) -> Result<Config, Problem> {
    let mut fields = match to_json(config) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.extend(patch.into_map());
    let (next, wanted) = parse(Fields::from_map(fields))?;
    if wanted.is_some_and(|count| count != partitions) {
        return Err(ChangeError::Fixed { field: "partitions" }.into());
    }
    Ok(next)
}

/// A configuration as answers give it: what is not limited is null.
pub(super) fn to_json(config: &Config) -> Value {
    json!({
        "strategy": config.strategy().name(),
        "max_entries": config.max_entries(),
        "max_bytes": config.max_bytes(),
        "ttl": config.ttl().map(text),
        "time_to_idle": config.time_to_idle().map(text),
        "ttl_jitter": config.ttl_jitter(),
    })
}

fn number(name: &str, value: &Value) -> Result<u64, Problem> {
    let wrong = || Problem::invalid(format!("{name} must be a whole number from 0 to 2^64 - 1"));
    value.as_u64().ok_or_else(wrong)
}

fn text(time: Duration) -> String {
    Span(time).to_string()
}

fn size(name: &str, value: &Value) -> Result<u64, Problem> {
    let Some(text) = value.as_str() else { return number(name, value) };
    let size = text.parse::<ByteSize>();
    size.map(|size| size.0).map_err(|error| Problem::invalid(format!("{name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &Value) -> Result<(Config, Option<u32>), Problem> {
        parse(Fields::parse(value.to_string().as_bytes())?)
    }

    #[test]
    fn what_is_answered_can_be_asked_for() {
        let check = |config: Value| {
            let (config, _) = parsed(&config).unwrap();
            assert_eq!(parsed(&to_json(&config)).unwrap(), (config, None));
        };
        check(json!({"max_entries": 5}));
        check(
            json!({"strategy": "lru", "max_bytes": "1.5 KiB", "ttl": "1h30m", "ttl_jitter": 0.25}),
        );
        check(json!({"max_bytes": u64::MAX, "ttl": "1ms"}));
        check(json!({"time_to_idle": "90s", "ttl": "2d", "max_entries": null}));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |config: Value, want: &str| {
            let problem = format!("{:?}", parsed(&config).unwrap_err());
            assert!(problem.contains(want), "{problem}");
        };
        check(json!({}), "set max_entries");
        check(json!({"max_entries": -1}), "max_entries must be a whole number");
        check(json!({"max_entries": "5"}), "max_entries must be a whole number");
        check(json!({"max_bytes": "5 parsecs"}), "max_bytes: unknown unit");
        check(json!({"max_bytes": 1.5}), "max_bytes must be a whole number");
        check(json!({"ttl": 600}), "ttl must be a text");
        check(json!({"ttl": "600"}), "ttl: a number lacks its unit");
        check(json!({"strategy": "mru", "ttl": "1s"}), "unknown strategy");
        check(json!({"ttl": "1s", "colour": "red"}), "colour");
        check(json!({"ttl": "1s", "partitions": 0}), "partitions");
        check(json!([]), "must be an object");
    }

    #[test]
    fn a_patch_takes_off_what_is_null() {
        let (config, _) = parsed(&json!({"max_entries": 5, "ttl": "1s"})).unwrap();
        let patch = Fields::parse(br#"{"max_entries": null, "max_bytes": 9}"#).unwrap();
        let patched = patched(&config, 1, patch).unwrap();
        assert_eq!((patched.max_entries(), patched.max_bytes()), (None, Some(9)));
        assert_eq!(patched.ttl(), config.ttl());
    }
}
