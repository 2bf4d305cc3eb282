//! The manager's requests as commands, and the replies as the engine wants them.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use inval_core::engine::{Look, Reply, Step, StepOutcome, StepReply, Verdict};
use inval_core::keyspace::Keyspace;
use redis::{Cmd, Pipeline, Script, Value, cmd};

use crate::error::Error;

static ACQUIRE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/acquire.lua")));
static STEP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/step.lua")));
static OVERFLOW: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/overflow.lua")));
static RECONFIGURE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/reconfigure.lua")));

/// All scripts.
pub(crate) fn scripts() -> Arc<[Script]> {
    [&ACQUIRE, &STEP, &OVERFLOW, &RECONFIGURE].map(|script| Script::clone(script)).into()
}

/// A call of a script on `keys` known in number; its keys and arguments are to follow.
fn evalsha(script: &Script, keys: usize) -> Cmd {
    let mut call = cmd("EVALSHA");
    call.arg(script.get_hash()).arg(keys);
    call
}

pub(crate) fn acquire(names: &Keyspace, holder: &str, lease: Duration, above: u64) -> Pipeline {
    let mut call = evalsha(&ACQUIRE, 2);
    call.arg(names.lease()).arg(names.accounts());
    call.arg(holder).arg(lease.as_millis() as u64).arg(above);
    let mut pipe = redis::pipe();
    pipe.add_command(call);
    pipe.cmd("HGETALL").arg(names.accounts());
    pipe
}

pub(crate) fn overflow(names: &Keyspace, cap: u64) -> Cmd {
    let mut call = evalsha(&OVERFLOW, 2);
    call.arg(names.journal()).arg(names.accounts()).arg(cap);
    call
}

pub(crate) fn reconfigure(name: &str, known: &[u8], next: &str) -> Cmd {
    let mut call = evalsha(&RECONFIGURE, 1);
    call.arg(name).arg(known).arg(next);
    call
}

pub(crate) fn step(names: &Keyspace, holder: &str, step: &Step) -> Pipeline {
    let mut call = evalsha(&STEP, 3 + step.evict.len() + step.look.len());
    call.arg(names.lease()).arg(names.journal()).arg(names.accounts());
    let evicted = step.evict.iter().map(|candidate| &candidate.key);
    evicted.chain(&step.look).for_each(|key| _ = call.arg(names.entry(key)));
    call.arg(format!("{}:{holder}", step.token)).arg(step.lease.as_millis() as u64);
    call.arg(step.generation).arg(step.position);
    call.arg(step.worked_off).arg(&step.last_record);
    call.arg(step.number).arg(step.accounts.len());
    step.accounts.iter().for_each(|(field, value)| _ = call.arg(*field).arg(*value));
    step.evict.iter().for_each(|candidate| _ = call.arg(candidate.known));

    let mut pipe = redis::pipe();
    pipe.add_command(call);
    for group in &step.verify {
        let exists = pipe.cmd("EXISTS");
        group.iter().for_each(|key| _ = exists.arg(names.entry(key)));
    }
    if !step.verify.is_empty() {
        // What has expired is deleted as it is counted, which can take longer than the script.
        pipe.cmd("TIME");
    }
    pipe.cmd("LRANGE").arg(names.journal()).arg(0).arg(i64::from(step.records) - 1);
    pipe.cmd("LPOP").arg(names.accesses()).arg(step.batches);
    pipe
}

pub(crate) fn acquired(values: Vec<Value>) -> Result<Reply, Error> {
    let [granted, fields] = <[Value; 2]>::try_from(values).map_err(|_| Error::UnexpectedReply)?;
    match numbers(&granted)?[..] {
        [1, token] => {
            Ok(Reply::Granted { token: token.unsigned_abs(), accounts: fields_of(fields)? })
        }
        [0, remaining] => {
            let remaining = Duration::from_millis(u64::try_from(remaining).unwrap_or(0));
            Ok(Reply::Taken { remaining })
        }
        _ => Err(Error::UnexpectedReply),
    }
}

pub(crate) fn stepped(step: &Step, values: Vec<Value>) -> Result<StepReply, Error> {
    let mut values = values.into_iter();
    let reply = numbers(&values.next().ok_or(Error::UnexpectedReply)?)?;
    match reply[..] {
        [0] => Ok(StepReply::Fenced),
        [2, generation, position] => Ok(StepReply::Disagrees {
            generation: generation.unsigned_abs(),
            position: position.unsigned_abs(),
        }),
        [status @ (1 | 3), backlog, lfu, start_s, start_us, end_s, end_us, ref results @ ..] => {
            let (evicted, looks) =
                results.split_at_checked(step.evict.len()).ok_or(Error::UnexpectedReply)?;
            if looks.len() != 3 * step.look.len() {
                return Err(Error::UnexpectedReply);
            }
            let (start, end) = (micros(start_s, start_us), micros(end_s, end_us));
            let present = values.by_ref().take(step.verify.len()).map(|value| number(&value));
            let present = present.collect::<Result<_, _>>()?;
            let counted = match step.verify.is_empty() {
                true => end,
                false => time(byte_strings(values.next())?)?,
            };
            let mut outcome = StepOutcome {
                was_done_before: status == 3,
                backlog: backlog.unsigned_abs(),
                has_lfu: lfu == 1,
                server_us: end,
                held_us: end.saturating_sub(start),
                evicted: evicted.iter().map(|&code| verdict(code)).collect(),
                looks: looks.chunks_exact(3).map(look).collect(),
                counted_us: counted.saturating_sub(end),
                present,
                ..StepOutcome::default()
            };
            outcome.records = byte_strings(values.next())?;
            outcome.batches = byte_strings(values.next())?;
            Ok(StepReply::Done(outcome))
        }
        _ => Err(Error::UnexpectedReply),
    }
}

fn micros(seconds: i64, micros: i64) -> u64 {
    seconds.unsigned_abs().saturating_mul(1_000_000).saturating_add(micros.unsigned_abs())
}

/// What `TIME` replies, in microseconds.
fn time(parts: Vec<Vec<u8>>) -> Result<u64, Error> {
    let number = |part: &Vec<u8>| std::str::from_utf8(part).ok()?.parse().ok();
    match parts.iter().map(number).collect::<Option<Vec<i64>>>().as_deref() {
        Some([seconds, us]) => Ok(micros(*seconds, *us)),
        _ => Err(Error::UnexpectedReply),
    }
}

/// How much time passed between two replies to `TIME`.
pub(crate) fn between(begun: Value, ended: Value) -> Result<Duration, Error> {
    let [begun, ended] = [time(byte_strings(Some(begun))?)?, time(byte_strings(Some(ended))?)?];
    Ok(Duration::from_micros(ended.saturating_sub(begun)))
}

fn verdict(code: i64) -> Verdict {
    match code {
        -1 => Verdict::Unlinked,
        -2 => Verdict::Missing,
        idle => Verdict::Accessed(idle.unsigned_abs()),
    }
}

fn look(found: &[i64]) -> Look {
    match *found {
        [-3, ..] => Look::Foreign,
        [bytes, ttl, idle] if bytes >= 0 => Look::Present {
            bytes: bytes.unsigned_abs(),
            ttl_ms: u64::try_from(ttl).ok(),
            idle: idle.unsigned_abs(),
        },
        _ => Look::Missing,
    }
}

pub(crate) fn number(value: &Value) -> Result<u64, Error> {
    match value {
        Value::Int(number) => u64::try_from(*number).map_err(|_| Error::UnexpectedReply),
        _ => Err(Error::UnexpectedReply),
    }
}

fn numbers(value: &Value) -> Result<Vec<i64>, Error> {
    let Value::Array(values) = value else { return Err(Error::UnexpectedReply) };
    let number = |value: &Value| match value {
        Value::Int(number) => Ok(*number),
        _ => Err(Error::UnexpectedReply),
    };
    values.iter().map(number).collect()
}

fn byte_strings(value: Option<Value>) -> Result<Vec<Vec<u8>>, Error> {
    let values = match value {
        Some(Value::Array(values)) => values,
        Some(Value::Nil) => return Ok(Vec::new()),
        _ => return Err(Error::UnexpectedReply),
    };
    let bytes = |value| match value {
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err(Error::UnexpectedReply),
    };
    values.into_iter().map(bytes).collect()
}

/// The fields of a hash whose values are numbers.
pub(crate) fn fields_of(value: Value) -> Result<Vec<(String, u64)>, Error> {
    let words = match value {
        Value::Map(pairs) => pairs.into_iter().flat_map(|(field, value)| [field, value]).collect(),
        value => vec![value],
    };
    let words = match <[Value; 1]>::try_from(words) {
        Ok([value]) => byte_strings(Some(value))?,
        Err(words) => byte_strings(Some(Value::Array(words)))?,
    };
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned).ok();
    let pair = |pair: &[Vec<u8>]| Some((text(&pair[0])?, text(&pair[1])?.parse().ok()?));
    Ok(words.chunks_exact(2).filter_map(pair).collect())
}

#[cfg(test)]
mod tests;
