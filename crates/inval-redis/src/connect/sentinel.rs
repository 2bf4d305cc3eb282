//! Asks sentinels which server is the primary now.

use std::sync::Arc;

use redis::{Value, cmd};
use tokio::task::JoinSet;

use super::call::Request;
use super::dial::Dialling;
use super::endpoint::Endpoint;
use super::link::Answer;
use super::reply::error_of;
use super::target::HostPort;
use crate::error::Error;

/// The sentinels of a target, and the name under which they watch its primary.
pub(super) struct Sentinels {
    pub(super) sentinels: Vec<HostPort>,
    pub(super) master: Arc<str>,
}

impl Sentinels {
    /// The address of the primary, by the first sentinel that knows it. All are asked at once, so
    /// that one that is down costs no time.
    pub(super) async fn primary(&self, dialling: &Arc<Dialling>) -> Result<Endpoint, Error> {
        let mut questions = JoinSet::new();
        for sentinel in &self.sentinels {
            let sentinel = Endpoint::Tcp(sentinel.clone());
            let (dialling, master) = (Arc::clone(dialling), Arc::clone(&self.master));
            questions.spawn(async move { ask(&sentinel, &master, &dialling).await });
        }
        let mut worst = Error::UnknownMaster;
        while let Some(answer) = questions.join_next().await {
            match answer {
                Ok(Ok(endpoint)) => return Ok(endpoint),
                // That a sentinel could not be asked says more than that another knows nothing.
                Ok(Err(Error::UnknownMaster)) | Err(_) => {}
                Ok(Err(error)) => worst = error,
            }
        }
        Err(worst)
    }
}

async fn ask(sentinel: &Endpoint, master: &str, dialling: &Dialling) -> Result<Endpoint, Error> {
    let link = dialling.connect_sentinel(sentinel).await?;
    let mut question = cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    let reply = match link.send(Request::Command(&question)).await {
        Ok(Answer::Reply(reply)) => reply,
        Ok(_) => return Err(Error::UnexpectedReply),
        Err(_) => return Err(Error::ConnectionLost),
    };
    match reply {
        Value::Nil => Err(Error::UnknownMaster),
        Value::Array(parts) => address(&parts).ok_or(Error::UnexpectedReply),
        Value::ServerError(error) => Err(error_of(&error)),
        _ => Err(Error::UnexpectedReply),
    }
}

fn address(parts: &[Value]) -> Option<Endpoint> {
    let [Value::BulkString(host), Value::BulkString(port)] = parts else { return None };
    let host = std::str::from_utf8(host).ok()?;
    let port = std::str::from_utf8(port).ok()?.parse().ok()?;
    Some(Endpoint::Tcp(HostPort::new(host, port)))
}
