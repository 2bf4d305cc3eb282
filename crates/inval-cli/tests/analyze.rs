//! `inval analyze` against a daemon that plays its part: what it asks, what it prints, how it ends.

#![cfg(test)]

mod support;

use std::process::{Command, Output, Stdio};
use std::slice::from_ref;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Answer, Daemon, answer, problem};

fn command(args: &str, daemon: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    command.args(args.split(' ')).env("INVAL_DAEMON", daemon).env("INVAL_NAMESPACE", "users");
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Runs `inval args` against a daemon that plays `answers`; it must ask for these. Returns how it ended.
fn run(args: &str, answers: &[Answer], asked: &[&str]) -> Output {
    let daemon = Daemon::playing(answers.iter().cloned());
    let output = command(args, &daemon.url).output().unwrap();
    let lines: Vec<String> = daemon.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(lines, asked, "{args}: {output:?}");
    output
}

/// It must end with this exit code, and say this on standard error.
fn check_failure(answers: &[Answer], asked: &[&str], want: (i32, &str)) {
    let output = run("analyze", answers, asked);
    let got = (output.status.code().unwrap(), text(&output.stderr));
    assert_eq!(got, (want.0, &*format!("inval: {}\n", want.1)));
    assert!(output.stdout.is_empty(), "{output:?}");
}

fn report(state: &str, result: Value) -> Value {
    json!({
        "state": state,
        "options": {"page_size": 500, "duty_cycle": 0.02, "delimiter": ":", "depth": 1, "top": 10},
        "progress": {"entries": 1200, "booked": 1500, "pages": 4},
        "error": null,
        "result": result,
    })
}

fn running() -> Answer {
    answer(202, &report("running", Value::Null).to_string())
}

fn done() -> Answer {
    let none = json!({
        "count": 0, "missing": 1500, "p50": null, "p90": null, "p99": null, "buckets": []
    });
    let result = json!({
        "took_ms": 90_000,
        "held_us": 1_500_000,
        "duty_cycle": 0.016_666,
        "seen": {"entries": 1500, "bytes": 2_000_000},
        "estimated": 1500,
        "bytes": {
            "count": 1500, "missing": 0, "p50": 1023, "p90": 2047, "p99": 2047,
            "buckets": [{"up_to": 1023, "count": 1000}, {"up_to": 2047, "count": 500}]
        },
        "remaining_ms": {
            "count": 1200, "missing": 300, "p50": 65_535, "p90": 65_535, "p99": null,
            "buckets": [{"up_to": 65_535, "count": 1195}, {"up_to": null, "count": 5}]
        },
        "idle_ms": none,
        "age_ms": none,
        "largest": [{"key": "user:1", "bytes": 2040}, {"key": {"base64": "/zo="}, "bytes": 999}],
        "prefixes": [
            {"prefix": "user:", "entries": 1000, "bytes": 1_500_000, "error": 0},
            {"prefix": "a\u{1b}:", "entries": 7, "bytes": 400_000, "error": 1_234}
        ],
        "unprefixed": {"entries": 493, "bytes": 100_000},
        "most_uncounted": 1_234,
    });
    answer(200, &report("done", result).to_string())
}

const POST: &str = "POST /v1/namespaces/users/analysis";
const GET: &str = "GET /v1/namespaces/users/analysis";
const DELETE: &str = "DELETE /v1/namespaces/users/analysis";

#[test]
fn what_was_found_is_printed() {
    let want = "\
users: 1,500 entries of 2,000,000 bytes
4 pages in 1.5m, for 1.7% of which the server was held
the sizes of 1,500 entries are the server's estimates: nobody here has the books

below           50%    90%    99%  entries  without
size          1 KiB  2 KiB  2 KiB    1,500        0
time to live   1.1m   1.1m      -    1,200      300
idle for          -      -      -        0    1,500
written ago       -      -      -        0    1,500

   size  entries
< 1 KiB    1,000  66.7%  ##############################
< 2 KiB      500  33.3%  ###############

time to live  entries
      < 1.1m    1,195  99.6%  ##############################
        more        5  0.42%  #

bytes  largest entries
2,040  user:1
  999  base64:/zo=

    bytes  share  error  entries  prefixes by weight
1,500,000  75.0%      0    1,000  user:
  400,000  20.0%  1,234        7  a\\u{1b}:
  100,000   5.0%      0      493  (no prefix)
no prefix that was not counted weighs more than 1,234 bytes
";
    let output = run("analyze", &[running(), running(), done()], &[POST, GET, GET]);
    assert_eq!(text(&output.stdout), want, "{output:?}");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let output = run("analyse --output json", &[running(), done()], &[POST, GET]);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&printed["state"], &printed["result"]["took_ms"]),
        (&json!("done"), &json!(90_000))
    );
}

#[test]
fn what_is_wished_is_asked_for() {
    let check = |args: &str, want: Value| {
        let daemon = Daemon::playing([done()]);
        let output = command(args, &daemon.url).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let asked = daemon.asked().remove(0);
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        assert_eq!((asked.line.as_str(), body), (POST, want), "{args}");
        assert_eq!(asked.headers["content-type"], "application/json");
    };
    let usual = json!({"page_size": 500, "delimiter": ":", "depth": 1, "top": 10});
    check("analyze", usual);
    let all = "analyze --page-size 9 --duty-cycle 5% --delimiter / --depth 3 --top 100";
    let want =
        json!({"page_size": 9, "duty_cycle": 0.05, "delimiter": "/", "depth": 3, "top": 100});
    check(all, want);
}

#[test]
fn what_is_not_possible_is_not_asked_for() {
    for (args, want) in [
        ("analyze --page-size 0", "page_size must be from 1 to 10000"),
        ("analyze --depth 9", "depth must be from 1 to 8"),
        ("analyze --top 1001", "top must be from 1 to 1000"),
        ("analyze --delimiter=", "a delimiter has 1 to 16 bytes, this one has 0"),
        ("analyze --duty-cycle 2", "such as 2% or 0.02"),
    ] {
        let output = run(args, &[], &[]);
        assert_eq!(output.status.code(), Some(2), "{args}");
        assert!(text(&output.stderr).contains(want), "{args}: {output:?}");
    }
}

#[test]
fn an_analysis_that_does_not_end_well_is_a_failure() {
    let refused = problem(409, "analysis-running", "GET tells how far it has got.");
    let want =
        "an analysis of users is under way; wait for its end, or end it where it was started";
    check_failure(&[refused], &[POST], (1, want));
    let unknown = problem(404, "unknown-namespace", "There is no namespace users.");
    let want = "there is no namespace users; `inval ns list` shows those there are";
    check_failure(from_ref(&unknown), &[POST], (3, want));
    check_failure(&[running(), unknown], &[POST, GET], (3, want));
    let mut failed = report("failed", Value::Null);
    (failed["progress"], failed["error"]) = (Value::Null, json!("the server is gone"));
    let failed = answer(200, &failed.to_string());
    let want = "the analysis of users broke off: the server is gone";
    check_failure(&[running(), failed], &[POST, GET], (1, want));
    let mut cancelled = report("cancelled", Value::Null);
    cancelled["progress"] = Value::Null;
    let cancelled = answer(200, &cancelled.to_string());
    let want = "the analysis of users was cancelled by somebody else, or its namespace has gone";
    check_failure(&[running(), cancelled], &[POST, GET], (1, want));
}

#[cfg(unix)]
#[test]
fn ctrl_c_cancels_it_at_the_daemon() {
    let daemon = Daemon::choosing(10_000, |asked| match asked.line.as_str() {
        DELETE => answer(204, ""),
        _ => running(),
    });
    let child = command("analyze", &daemon.url)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut lines = Vec::new();
    while !lines.contains(&GET.to_owned()) {
        assert!(Instant::now() < deadline, "{lines:?}");
        lines.extend(daemon.asked().into_iter().map(|asked| asked.line));
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), "inval: interrupted\n"));
    let last = daemon.asked().into_iter().last().unwrap();
    assert_eq!(last.line, DELETE);
}
