//! Calls to a node that a slot is on its way to: each command has to say that it was sent there.

use redis::{Pipeline, Value, cmd};

use crate::connect::call::Request;
use crate::connect::link::{Answer, outcome_of_transaction};

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
        Request::Pipeline(commands) if commands.is_transaction() => outcome_of_transaction(replies),
        Request::Pipeline(_) => {
            Some(Answer::Replies(replies.into_iter().skip(1).step_by(2).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::{Cmd, ServerError, pipe};

    use super::*;

    fn get() -> Cmd {
        cmd("GET").arg("a").to_owned()
    }

    fn error(line: &str) -> Value {
        redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn what_needs_it_is_preceded_by_asking() {
        let check = |request: Request<'_>, want: Vec<Cmd>| {
            let mut expected = pipe();
            want.into_iter().for_each(|command| {
                expected.add_command(command);
            });
            let got = with_asking(request).get_packed_pipeline();
            assert_eq!(got, expected.get_packed_pipeline());
        };
        let (asking, multi, exec) = (|| cmd("ASKING"), || cmd("MULTI"), || cmd("EXEC"));
        let mut commands = pipe();
        commands.add_command(get()).add_command(get());
        check(Request::Command(&get()), vec![asking(), get()]);
        check(Request::Pipeline(&commands), vec![asking(), get(), asking(), get()]);
        check(Request::Pipeline(commands.atomic()), vec![asking(), multi(), get(), get(), exec()]);
    }

    #[test]
    fn the_answer_is_found_among_the_replies() {
        let check = |request: Request<'_>, replies: Vec<Value>, want: Result<Vec<Value>, &str>| {
            let got = match without_asking(request, replies).unwrap() {
                Answer::Reply(reply) => Ok(vec![reply]),
                Answer::Replies(replies) => Ok(replies),
                Answer::Refused(error) => Err(ServerError::code(&error).to_owned()),
            };
            assert_eq!(got, want.map_err(str::to_owned));
        };
        let (ok, one, two) = (|| Value::Okay, || Value::Int(1), || Value::Int(2));
        let queued = || Value::SimpleString("QUEUED".into());
        let mut commands = pipe();
        commands.add_command(get()).add_command(get());
        check(Request::Command(&get()), vec![ok(), one()], Ok(vec![one()]));
        check(Request::Pipeline(&commands), vec![ok(), one(), ok(), two()], Ok(vec![one(), two()]));
        commands.atomic();
        let transaction = Request::Pipeline(&commands);
        let done = Value::Array(vec![one(), two()]);
        check(transaction, vec![ok(), ok(), queued(), queued(), done], Ok(vec![one(), two()]));
        let abort = || error("EXECABORT Transaction discarded because of previous errors.");
        let refused = vec![ok(), ok(), error("MOVED 1 a:1"), queued(), abort()];
        check(transaction, refused, Err("MOVED"));
        check(
            transaction,
            vec![ok(), ok(), queued(), queued(), error("TRYAGAIN x")],
            Err("TRYAGAIN"),
        );
    }
}
