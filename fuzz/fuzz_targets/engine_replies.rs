//! Whatever an engine is answered, sense or nonsense, its books stay sound.
#![no_main]

use std::time::Duration;

use inval_core::engine::{
    Engine, EngineSettings, Look, Reply, Request, RoundTrip, StepOutcome, StepReply, Verdict,
};
use inval_core::{Config, Strategy, Timestamp};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    strategy: u8,
    max_entries: u8,
    max_bytes: Option<u16>,
    answers: Vec<Answer>,
}

#[derive(Arbitrary, Debug)]
struct Answer {
    waits_ms: u16,
    takes_ms: u16,
    /// Where the answer is to fit what was asked.
    fits: bool,
    what: What,
}

#[derive(Arbitrary, Debug)]
enum What {
    Granted { token: u64, accounts: Vec<(Field, u64)> },
    Taken { ms: u64 },
    Fenced,
    Disagrees,
    Stepped(Outcome),
    Scanned { cursor: u64, keys: Vec<u8> },
    Failed,
    Leave,
}

#[derive(Arbitrary, Debug)]
enum Field {
    Entries,
    Bytes,
    Inserted,
    Evicted,
    Steps,
    Drained,
    Generation,
    Other(String),
}

#[derive(Arbitrary, Debug)]
struct Outcome {
    was_done_before: bool,
    backlog: u64,
    has_lfu: bool,
    server_us: u64,
    held_us: u64,
    counted_us: u64,
    codes: Vec<(u8, u64)>,
    looks: Vec<(u64, Option<u64>, u64)>,
    present: Vec<u8>,
    records: Vec<Told>,
    batches: Vec<Vec<u8>>,
}

#[derive(Arbitrary, Debug)]
enum Told {
    Put { key: u8, bytes: u32, ttl_ms: Option<u64> },
    Deleted(u8),
    Look(u8),
    Nonsense(Vec<u8>),
}

fn key(n: u8) -> Box<[u8]> {
    Box::from([b'k', n % 32])
}

fn record(told: &Told) -> Vec<u8> {
    use inval_core::record::Record;
    match told {
        Told::Put { key: n, bytes, ttl_ms } => {
            Record::Put { key: &key(*n), bytes: *bytes, ttl_ms: *ttl_ms }.encode()
        }
        Told::Deleted(n) => Record::Deleted { key: &key(*n) }.encode(),
        Told::Look(n) => Record::Look { key: &key(*n) }.encode(),
        Told::Nonsense(bytes) => bytes.clone(),
    }
}

fn verdict((code, idle): (u8, u64)) -> Verdict {
    match code % 3 {
        0 => Verdict::Unlinked,
        1 => Verdict::Missing,
        _ => Verdict::Accessed(idle),
    }
}

fn look((bytes, ttl_ms, idle): (u64, Option<u64>, u64)) -> Look {
    match bytes % 8 {
        0 => Look::Missing,
        1 => Look::Foreign,
        _ => Look::Present { bytes, ttl_ms, idle },
    }
}

/// As many as were asked for, if it is to fit.
fn many<T: Copy>(given: Vec<T>, asked: Option<usize>, nothing: T) -> Vec<T> {
    let asked = asked.unwrap_or(given.len());
    given.into_iter().chain(std::iter::repeat(nothing)).take(asked).collect()
}

fn outcome(given: Outcome, request: &Request, fits: bool) -> StepOutcome {
    let step = match request {
        Request::Step(step) if fits => Some(step),
        _ => None,
    };
    let evicted = many(given.codes, step.map(|step| step.evict.len()), (2, 0));
    let looks = many(given.looks, step.map(|step| step.look.len()), (9, None, 0));
    let present = many(given.present, step.map(|step| step.verify.len()), 0);
    StepOutcome {
        was_done_before: given.was_done_before,
        backlog: given.backlog,
        has_lfu: given.has_lfu,
        server_us: given.server_us,
        held_us: given.held_us,
        counted_us: given.counted_us,
        evicted: evicted.into_iter().map(verdict).collect(),
        looks: looks.into_iter().map(look).collect(),
        present: present.into_iter().map(u64::from).collect(),
        records: given.records.iter().map(record).collect(),
        batches: given.batches,
    }
}

fn reply(what: What, request: &Request, fits: bool) -> Reply {
    let name = |field| match field {
        Field::Entries => "entries".to_owned(),
        Field::Bytes => "bytes".to_owned(),
        Field::Inserted => "inserted_entries".to_owned(),
        Field::Evicted => "evicted_bytes".to_owned(),
        Field::Steps => "steps".to_owned(),
        Field::Drained => "drained".to_owned(),
        Field::Generation => "generation".to_owned(),
        Field::Other(name) => name,
    };
    match what {
        What::Granted { token, accounts } => {
            let fields = accounts.into_iter().map(|(field, value)| (name(field), value));
            Reply::Granted { token, accounts: fields.collect() }
        }
        What::Taken { ms } => Reply::Taken { remaining: Duration::from_millis(ms) },
        What::Fenced => Reply::Stepped(StepReply::Fenced),
        What::Disagrees => Reply::Stepped(StepReply::Disagrees { generation: 1, position: 2 }),
        What::Stepped(given) => Reply::Stepped(StepReply::Done(outcome(given, request, fits))),
        What::Scanned { cursor, keys } => {
            Reply::Scanned { cursor, keys: keys.into_iter().map(key).collect() }
        }
        What::Failed | What::Leave => Reply::Failed,
    }
}

fuzz_target!(|input: Input| {
    let strategy = Strategy::ALL[usize::from(input.strategy) % Strategy::ALL.len()];
    let builder = Config::builder().strategy(strategy).max_entries(input.max_entries.into());
    let builder = input.max_bytes.map_or(builder, |most| builder.max_bytes(most.into()));
    let Ok(config) = builder.build() else { return };
    let mut engine = Engine::new(&config, EngineSettings::default());
    let mut now = 0;
    for Answer { waits_ms, takes_ms, fits, what } in input.answers {
        now += u64::from(waits_ms);
        let sent = Timestamp::from_millis(now);
        let Some(request) = engine.poll(sent).cloned() else { continue };
        now += u64::from(takes_ms);
        if matches!(what, What::Leave) {
            engine.leave();
        }
        let received = Timestamp::from_millis(now);
        engine.handle(reply(what, &request, fits), RoundTrip { sent, received });
        assert_eq!(engine.validate(), Ok(()));
        drop((engine.stats(), engine.usage(), engine.next_timeout()));
    }
});
