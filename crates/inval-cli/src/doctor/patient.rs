//! A server that is looked at: questions, none of which changes anything there.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use inval_redis::{Client, ConnectOptions, Error, Repeat, Target};
use redis::{Value, cmd};

/// A server, or a Cluster.
pub(super) struct Patient {
    pub(super) target: Target,
    pub(super) client: Client,
}

/// The fields that `INFO` tells.
pub(super) struct Info(HashMap<String, String>);

impl Patient {
    pub(super) async fn connect(target: Target, options: &ConnectOptions) -> Result<Self, Error> {
        // One is enough, and tells of one server process alone.
        let options = ConnectOptions { connections: 1, ..options.clone() };
        let client = Client::connect(&target, options).await?;
        let patient = Self { target, client };
        patient.ask(&["PING"]).await.or_else(|error| match error {
            Error::Permission => Ok(Value::Nil),
            error => Err(error),
        })?;
        Ok(patient)
    }

    pub(super) async fn ask(&self, words: &[&str]) -> Result<Value, Error> {
        let mut command = cmd(words.first().copied().unwrap_or_default());
        command.arg(words.get(1..).unwrap_or_default());
        self.client.command(&command, Repeat::Safe).await
    }

    /// What `INFO` says, by section where the user may see only some.
    pub(super) async fn info(&self) -> Result<Info, Error> {
        let reply = self.ask(&["INFO"]).await?;
        let text = text(&reply).unwrap_or_default();
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        Ok(Info(fields.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()))
    }

    /// How long it takes until the answer to a `PING` is there.
    pub(super) async fn round_trip(&self) -> Option<Duration> {
        let asked = Instant::now();
        match self.ask(&["PING"]).await {
            Ok(_) | Err(Error::Permission) => Some(asked.elapsed()),
            Err(_) => None,
        }
    }
}

impl Info {
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    pub(super) fn number(&self, field: &str) -> Option<f64> {
        self.text(field)?.parse().ok()
    }

    #[cfg(test)]
    pub(super) fn example(fields: &[(&str, &str)]) -> Self {
        Self(fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }
}

/// A reply as text.
pub(super) fn text(reply: &Value) -> Option<String> {
    match reply {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) => Some(text.clone()),
        Value::VerbatimString { text, .. } => Some(text.clone()),
        Value::Okay => Some("OK".to_owned()),
        _ => None,
    }
}
