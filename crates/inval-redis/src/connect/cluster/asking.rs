//! Calls to a node that a slot is on its way to: each command has to say that it was sent there.

use redis::{Pipeline, Value, cmd};

use crate::connect::call::Request;
use crate::connect::link::Answer;
use crate::connect::reply::first_error;

/// `request` with `ASKING` before whatever needs it. Sent as one, nothing can come between.
pub(in crate::connect) fn with_asking(request: Request<'_>) -> Pipeline {
    let mut asking = Pipeline::new();
    match request {
        Request::Command(command) => {
            asking.cmd("ASKING").add_command(command.clone());
        }
        Request::Pipeline(commands) if commands.is_transaction() => {
            // Within a transaction the server keeps in mind that we asked.
            asking.cmd("ASKING").cmd("MULTI");
            commands.cmd_iter().for_each(|command| {
                asking.add_command(command.clone());
            });
            asking.cmd("EXEC");
        }
        Request::Pipeline(commands) => commands.cmd_iter().for_each(|command| {
            asking.add_command(cmd("ASKING")).add_command(command.clone());
        }),
    }
    asking
}

/// The answer to `request` out of the replies to [`with_asking`]. `None` if it has another form.
pub(in crate::connect) fn without_asking(
    request: Request<'_>,
    mut replies: Vec<Value>,
) -> Option<Answer> {
    match request {
        Request::Command(_) => replies.pop().map(Answer::Reply),
        Request::Pipeline(commands) if commands.is_transaction() => match replies.pop()? {
            Value::Array(replies) => Some(Answer::Replies(replies)),
            // Why a command was not taken into the transaction says more than that it failed.
            Value::ServerError(error) => {
                Some(Answer::Refused(first_error(&replies).cloned().unwrap_or(error)))
            }
            _ => None,
        },
        Request::Pipeline(_) => {
            Some(Answer::Replies(replies.into_iter().skip(1).step_by(2).collect()))
        }
    }
}
