//! What is sent for a request, word by word, and what becomes of every form that a reply may have.

use inval_core::Namespace;
use inval_core::engine::Candidate;

use super::*;

fn names() -> Keyspace {
    Keyspace::new(&"ns".parse::<Namespace>().unwrap(), 3)
}

fn boxed(key: &str) -> Box<[u8]> {
    key.as_bytes().into()
}

/// A step that asks for everything.
fn full_step() -> Step {
    Step {
        number: 11,
        token: 7,
        lease: Duration::from_millis(2_500),
        generation: 4,
        position: 90,
        worked_off: 2,
        last_record: b"last".to_vec(),
        accounts: vec![("entries", 5), ("bytes", 60)],
        evict: vec![
            Candidate { key: boxed("old"), known: 100 },
            Candidate { key: boxed("older"), known: 99 },
        ],
        look: vec![boxed("seen"), boxed("heard"), boxed("found")],
        verify: vec![vec![boxed("a"), boxed("b")], vec![boxed("c")]],
        records: 500,
        batches: 6,
    }
}

fn words<'a>(commands: impl IntoIterator<Item = &'a Cmd>) -> Vec<Vec<String>> {
    let word = |arg| match arg {
        redis::Arg::Simple(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::from("?"),
    };
    commands.into_iter().map(|command| command.args_iter().map(word).collect()).collect()
}

/// Each command with its words divided by spaces; hashes of scripts and the names of keys in short.
#[track_caller]
fn check_sent<'a>(commands: impl IntoIterator<Item = &'a Cmd>, want: &[&str]) {
    let names = names();
    let short = |word: String| {
        let scripts = [("ACQUIRE", &ACQUIRE), ("STEP", &STEP), ("OVERFLOW", &OVERFLOW)];
        let script = scripts.iter().find(|(_, script)| script.get_hash() == word);
        match word.as_str() {
            _ if script.is_some() => script.map_or("", |(name, _)| name).to_owned(),
            word if word == names.lease() => "LEASE".to_owned(),
            word if word == names.journal() => "JOURNAL".to_owned(),
            word if word == names.accounts() => "ACCOUNTS".to_owned(),
            word if word == names.accesses() => "ACCESSES".to_owned(),
            word => word.replace(names.entries(), "@"),
        }
    };
    let sent = words(commands).into_iter();
    let sent: Vec<_> =
        sent.map(|words| words.into_iter().map(short).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(sent, want);
}

#[test]
fn a_request_is_sent_with_its_keys_and_arguments_in_the_order_of_its_script() {
    check_sent(
        acquire(&names(), "me", Duration::from_secs(3), 6).cmd_iter(),
        &["EVALSHA ACQUIRE 2 LEASE ACCOUNTS me 3000 6", "HGETALL ACCOUNTS"],
    );
    check_sent([&overflow(&names(), 8)], &["EVALSHA OVERFLOW 2 JOURNAL ACCOUNTS 8"]);
    let script = "EVALSHA STEP 8 LEASE JOURNAL ACCOUNTS @old @older @seen @heard @found 7:me 2500 \
                  4 90 2 last 11 2 entries 5 bytes 60 100 99";
    let rest = ["EXISTS @a @b", "EXISTS @c", "TIME", "LRANGE JOURNAL 0 499", "LPOP ACCESSES 6"];
    let want: Vec<_> = [script].into_iter().chain(rest).collect();
    check_sent(step(&names(), "me", &full_step()).cmd_iter(), &want);
}

#[test]
fn the_time_of_counting_is_asked_for_only_if_something_is_counted() {
    let step_alone = Step { records: 1, batches: 1, ..Step::default() };
    check_sent(
        step(&names(), "me", &step_alone).cmd_iter(),
        &[
            "EVALSHA STEP 3 LEASE JOURNAL ACCOUNTS 0:me 0 0 0 0  0 0",
            "LRANGE JOURNAL 0 0",
            "LPOP ACCESSES 1",
        ],
    );
}

#[test]
fn every_script_that_is_called_can_be_loaded() {
    let loaded: Vec<_> = scripts().iter().map(|script| script.get_hash().to_owned()).collect();
    let names = names();
    let lease = Duration::ZERO;
    let mut calls = words(acquire(&names, "me", lease, 0).cmd_iter());
    calls.extend(words(step(&names, "me", &full_step()).cmd_iter()));
    calls.extend(words([&overflow(&names, 1), &reconfigure("config", b"old", "new")]));
    let called: Vec<_> =
        calls.into_iter().filter(|words| words[0] == "EVALSHA").map(|w| w[1].clone()).collect();
    assert_eq!((called.len(), loaded.len()), (4, 4));
    assert!(called.iter().all(|hash| loaded.contains(hash)));
}

fn ints(values: &[i64]) -> Value {
    Value::Array(values.iter().map(|&value| Value::Int(value)).collect())
}

fn text(value: &str) -> Value {
    Value::BulkString(value.as_bytes().to_vec())
}

fn texts(values: &[&str]) -> Value {
    Value::Array(values.iter().map(|value| text(value)).collect())
}

#[track_caller]
fn check_acquired(values: Vec<Value>, want: Option<Reply>) {
    match acquired(values) {
        Ok(reply) => assert!(want.is_some_and(|want| want == reply)),
        Err(Error::UnexpectedReply) => assert!(want.is_none()),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_lease_is_granted_with_all_accounts_or_taken_for_a_while() {
    let granted = |accounts: &[(&str, u64)]| {
        let accounts = accounts.iter().map(|&(field, value)| (field.to_owned(), value)).collect();
        Some(Reply::Granted { token: 7, accounts })
    };
    let taken = |ms| Some(Reply::Taken { remaining: Duration::from_millis(ms) });
    let fields = texts(&["entries", "12", "holder", "me", "bytes", "34"]);
    let map = Value::Map(vec![(text("entries"), text("12")), (text("bytes"), text("34"))]);
    let accounts = [("entries", 12), ("bytes", 34)];
    check_acquired(vec![ints(&[1, 7]), fields], granted(&accounts));
    check_acquired(vec![ints(&[1, 7]), map], granted(&accounts));
    check_acquired(vec![ints(&[1, 7]), Value::Map(vec![])], granted(&[]));
    check_acquired(vec![ints(&[1, 7]), texts(&[])], granted(&[]));
    check_acquired(vec![ints(&[0, 250]), texts(&[])], taken(250));
    check_acquired(vec![ints(&[0, -1]), texts(&[])], taken(0));
    check_acquired(vec![ints(&[2, 7]), texts(&[])], None);
    check_acquired(vec![ints(&[1]), texts(&[])], None);
    check_acquired(vec![ints(&[1, 7])], None);
    check_acquired(vec![texts(&["1", "7"]), texts(&[])], None);
    check_acquired(vec![ints(&[1, 7]), ints(&[5])], None);
}

#[track_caller]
fn check_stepped(step: &Step, values: Vec<Value>, want: Option<StepReply>) {
    match stepped(step, values) {
        Ok(reply) => assert!(want.is_some_and(|want| want == reply)),
        Err(Error::UnexpectedReply) => assert!(want.is_none()),
        Err(error) => panic!("{error}"),
    }
}

/// The replies to `full_step` for a script that says this.
fn replies(script: &[i64]) -> Vec<Value> {
    let counted = texts(&["1000", "30"]);
    let records = texts(&["first", "second"]);
    vec![ints(script), Value::Int(2), Value::Int(0), counted, records, texts(&["batch"])]
}

const SCRIPT: [i64; 18] =
    [1, 17, 1, 999, 999_990, 1_000, 20, -1, 55, 10, 900, 3, 0, -1, 4, -3, 0, 0];

fn outcome() -> StepOutcome {
    StepOutcome {
        was_done_before: false,
        backlog: 17,
        has_lfu: true,
        server_us: 1_000_000_020,
        held_us: 30,
        counted_us: 10,
        evicted: vec![Verdict::Unlinked, Verdict::Accessed(55)],
        looks: vec![
            Look::Present { bytes: 10, ttl_ms: Some(900), idle: 3 },
            Look::Present { bytes: 0, ttl_ms: None, idle: 4 },
            Look::Foreign,
        ],
        present: vec![2, 0],
        records: vec![b"first".to_vec(), b"second".to_vec()],
        batches: vec![b"batch".to_vec()],
    }
}

#[test]
fn a_step_tells_all_it_found() {
    let done = |outcome| Some(StepReply::Done(outcome));
    let full = full_step();
    check_stepped(&full, replies(&SCRIPT), done(outcome()));

    let mut again = SCRIPT;
    (again[0], again[2], again[7], again[15]) = (3, 0, -2, -1);
    let want = StepOutcome {
        was_done_before: true,
        has_lfu: false,
        evicted: vec![Verdict::Missing, Verdict::Accessed(55)],
        looks: [&outcome().looks[..2], &[Look::Missing]].concat(),
        ..outcome()
    };
    check_stepped(&full, replies(&again), done(want));

    let idle = Step::default();
    let nothing = vec![ints(&[1, 0, 0, 1, 2, 1, 5]), texts(&[]), Value::Nil];
    let want = StepOutcome { server_us: 1_000_005, held_us: 3, ..StepOutcome::default() };
    check_stepped(&idle, nothing, done(want));
}

#[test]
fn a_step_that_was_not_done_says_why() {
    let full = full_step();
    check_stepped(&full, replies(&[0]), Some(StepReply::Fenced));
    let disagrees = StepReply::Disagrees { generation: 5, position: 91 };
    check_stepped(&full, replies(&[2, 5, 91]), Some(disagrees));
}

#[test]
fn a_reply_of_another_form_is_refused() {
    let full = full_step();
    let check = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut values = replies(&SCRIPT);
        change(&mut values);
        check_stepped(&full, values, None);
    };
    check(&|values| values.clear());
    check(&|values| values[0] = ints(&SCRIPT[..17]));
    check(&|values| values[0] = ints(&[&SCRIPT[..], &[0, 0, 0]].concat()));
    check(&|values| values[0] = ints(&SCRIPT[..8]));
    check(&|values| values[0] = ints(&[4]));
    check(&|values| values[0] = texts(&["0"]));
    check(&|values| values[1] = text("2"));
    check(&|values| values[1] = Value::Int(-1));
    check(&|values| values[3] = texts(&["1000"]));
    check(&|values| values[3] = texts(&["1000", "soon"]));
    check(&|values| values[4] = ints(&[1]));
    check(&|values| values[4] = Value::Int(1));
    check(&|values| values.truncate(5));
}

#[test]
fn time_between_two_replies_is_never_negative() {
    let check = |begun: [&str; 2], ended: [&str; 2], us| {
        let between = between(texts(&begun), texts(&ended)).unwrap();
        assert_eq!(between, Duration::from_micros(us));
    };
    check(["10", "999990"], ["11", "15"], 25);
    check(["10", "5"], ["10", "5"], 0);
    check(["11", "0"], ["10", "0"], 0);
}
