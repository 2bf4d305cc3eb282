//! The command `inval replay` from the outside: forms of input and output, errors and exit codes.

#![cfg(test)]

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// Five requests for three keys; an LRU cache of two entries hits once.
const TRACE: &str = "time_s,key,size_bytes,op\n0,1,10,\n1,2,20,get\n2,1,10,\n3,3,30,\n4,2,20,\n";

/// What `inval` did: exit code, standard output, standard error.
fn inval(dir: &Path, args: &str, stdin: &[u8]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    let output =
        command.current_dir(dir).args(args.split_whitespace()).write_stdin(stdin).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A directory with the trace in several wrappings, and broken ones.
fn traces() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
    write("t.csv", TRACE.as_bytes());
    write("t.csv.gz", &gzip(TRACE.as_bytes()));
    write("t.csv.zst", &zstd::encode_all(TRACE.as_bytes(), 1).unwrap());
    write("t.txt", b"1\n2\n1\n3\n2\n");
    write("t.lis", b"1 2 0 1\n1 1 0 2\n3 1 0 3\n2 1 0 4\n");
    write("t.oracleGeneral", &records(&[1, 2, 1, 3, 2]));
    write("t.log", TRACE.as_bytes());
    write("bad.csv", TRACE.replace(",20,get", ",twenty,get").as_bytes());
    write("cut.csv.zst", &zstd::encode_all(TRACE.as_bytes(), 1).unwrap()[..40]);
    write("cut.bin", &records(&[1, 2])[..30]);
    write("empty.csv", b"key\n");
    dir
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn records(keys: &[u64]) -> Vec<u8> {
    let record = |key: &u64| [&[0; 4][..], &key.to_le_bytes(), &[0; 12]].concat();
    keys.iter().flat_map(record).collect()
}

fn json(dir: &Path, args: &str, stdin: &[u8]) -> Vec<Value> {
    let (code, stdout, stderr) = inval(dir, &format!("replay {args} --output json"), stdin);
    assert_eq!(code, 0, "{args}: {stderr}");
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn every_wrapping_of_a_trace_gives_the_same_result() {
    let dir = traces();
    let check = |trace: &str, stdin: &[u8]| {
        let args = format!("--trace {trace} --strategy lru --max-entries 2");
        let outcomes = json(dir.path(), &args, stdin);
        assert_eq!(outcomes.len(), 1, "{trace}");
        assert_eq!(outcomes[0]["hits"], 1, "{trace}");
        assert_eq!(outcomes[0]["misses"], 4, "{trace}");
    };
    for name in ["t.csv", "t.csv.gz", "t.csv.zst", "t.txt", "t.lis", "t.oracleGeneral"] {
        check(name, b"");
    }
    check("t.log --format csv", b"");
    check("-", TRACE.as_bytes());
    check("-", &gzip(TRACE.as_bytes()));
    check("-", &zstd::encode_all(TRACE.as_bytes(), 1).unwrap());
    check("- --format keys", b"1\n2\n1\n3\n2\n");
}

#[test]
fn json_has_exactly_the_promised_fields() {
    let dir = traces();
    let outcomes = json(dir.path(), "--trace t.csv --strategy lru --max-entries 2", b"");
    let mut outcome = outcomes[0].as_object().unwrap().clone();
    assert!(outcome.remove("elapsed_s").unwrap().as_f64().unwrap() >= 0.0);
    let want = serde_json::json!({
        "trace": "t.csv", "strategy": "lru", "requests": 5, "hits": 1, "misses": 4,
        "miss_ratio": 0.8, "byte_miss_ratio": 80.0 / 90.0, "max_entries": 2, "max_bytes": null,
        "evicted": 2, "expired": 0,
    });
    assert_eq!(Value::Object(outcome), want);
    let unsized_outcomes = json(dir.path(), "--trace t.txt --max-bytes 2B --strategy lru", b"");
    assert_eq!(unsized_outcomes[0]["byte_miss_ratio"], Value::Null);
    assert_eq!(unsized_outcomes[0]["max_entries"], Value::Null);
    assert_eq!(unsized_outcomes[0]["max_bytes"], 2);
    assert_eq!(unsized_outcomes[0]["hits"], 1);
}

#[test]
fn csv_has_the_fields_of_json_and_quotes_what_needs_it() {
    let dir = traces();
    let args = "replay --workload loop:keys=3,requests=9 --strategy fifo --max-entries 4";
    let (code, csv, _) = inval(dir.path(), &format!("{args} --output csv"), b"");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((code, lines.len()), (0, 2), "{csv}");
    let outcome = &json(dir.path(), &args["replay ".len()..], b"")[0];
    let columns: Vec<&str> = lines[0].split(',').collect();
    assert_eq!(columns.len(), outcome.as_object().unwrap().len());
    assert!(columns.iter().all(|column| outcome.get(column).is_some()), "{csv}");
    let start = "\"loop:keys=3,requests=9\",fifo,9,6,3,0.3333333333333333,,4,,0,0,";
    assert!(lines[1].starts_with(start), "{csv}");
}

#[test]
fn the_table_is_aligned_and_in_the_order_asked_for() {
    let dir = traces();
    let table = |args: &str| {
        let (code, table, stderr) = inval(dir.path(), &format!("replay --trace t.csv {args}"), b"");
        assert_eq!((code, stderr.as_str()), (0, ""));
        let widths: Vec<usize> = table.lines().map(str::len).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
        // Every number but the time, which is never the same.
        let stable = |line: &str| {
            let mut words: Vec<&str> = line.split_whitespace().collect();
            if words.last() == Some(&"s") {
                words.truncate(words.len() - 2);
            }
            words.join(" ")
        };
        table.lines().map(stable).collect::<Vec<_>>()
    };
    assert_eq!(
        table("--strategy sieve,lru --max-entries 2")[..],
        [
            "strategy requests hits miss ratio byte miss ratio evicted expired time",
            "sieve 5 1 0.8000 0.8889 2 0",
            "lru 5 1 0.8000 0.8889 2 0",
        ]
    );
    assert_eq!(
        table("--strategy lru --sizes 100%,2,2 --ttl 3500ms")[..],
        [
            "strategy capacity requests hits miss ratio byte miss ratio evicted expired time",
            "lru 3 5 2 0.6000 0.6667 0 1",
            "lru 2 5 1 0.8000 0.8889 1 1",
        ]
    );
}

#[test]
fn all_strategies_are_compared_by_default() {
    let dir = traces();
    let names = |args: &str| {
        let outcomes = json(dir.path(), args, b"");
        outcomes.iter().map(|o| o["strategy"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = inval_core::Strategy::ALL.map(|strategy| strategy.to_string());
    assert_eq!(names("--trace t.csv"), all);
    assert_eq!(names("--trace t.csv --strategy all --shards 4"), all);
}

#[test]
fn failures_say_what_is_wrong_and_where() {
    let dir = traces();
    let check = |args: &str, want_code, want: &str| {
        let (code, stdout, stderr) = inval(dir.path(), &format!("replay {args}"), TRACE.as_bytes());
        assert_eq!(code, want_code, "{args}: {stderr}");
        assert!(stderr.contains(want), "{args}: {stderr}");
        assert_eq!(stdout, "", "{args}");
    };
    check("--trace bad.csv", 2, "bad.csv:3: size_bytes is not a whole number\n");
    check("--trace cut.csv.zst", 2, "cut.csv.zst: the zstd data is damaged or cut off\n");
    check("--trace cut.bin", 2, "cut.bin: record 2 is cut off after 6 of 24 bytes\n");
    check("--trace empty.csv", 2, "the trace holds no requests\n");
    check("--trace t.log", 2, "add --format");
    check("--trace -", 2, "a percentage needs a first pass");
    check("--trace - --sizes 2,50%", 2, "a percentage needs a first pass");
    check("--trace none.csv", 1, "none.csv: cannot be read: No such file");
    check("--trace t.csv --plot none/p.svg", 1, "cannot write none/p.svg: ");
    check("--trace t.csv --workload zipf", 2, "cannot be used with");
    check("--trace t.csv --sizes 1 --max-entries 1", 2, "cannot be used with");
    check("--trace t.csv --strategy mru", 2, "known are ttl, lru, lfu");
    check("--trace t.csv --max-entries 0", 2, "more than zero");
    check("--trace t.csv --max-bytes 256M", 2, "known are B, kB, MB");
    check("--trace t.csv --max-bytes 0", 2, "max_bytes is 0");
    check("--trace t.csv --ttl 5", 2, "known are d, h, m, s, ms and us");
    check("--trace t.csv --ttl 0s", 2, "ttl is below 1 ms");
    check("--trace t.csv --shards 0", 2, "1..=65536");
    check("--workload zipf:skw=1", 2, "it has keys, skew, requests, seed");
}

#[test]
fn bad_lines_are_passed_over_within_their_budget_and_counted() {
    let dir = traces();
    let args = "replay --trace bad.csv --strategy lru --max-entries 2 --output csv --skip-bad 1";
    let (code, stdout, stderr) = inval(dir.path(), args, b"");
    assert_eq!((code, stderr.as_str()), (0, "inval: malformed lines passed over: 1\n"));
    assert!(stdout.contains("\nbad.csv,lru,4,1,3,"), "{stdout}");
}

#[test]
fn a_plot_holds_a_curve_for_each_strategy() {
    let dir = traces();
    let args = "replay --trace t.csv --strategy lru,fifo --sizes 1,2,3 --plot p.svg";
    assert_eq!(inval(dir.path(), args, b"").0, 0);
    let svg = std::fs::read_to_string(dir.path().join("p.svg")).unwrap();
    assert_eq!(svg.matches("<polyline").count(), 2);
    let args = "replay --workload zipf:keys=5000,requests=20000 --strategy lru --plot q.svg";
    let (code, table, _) = inval(dir.path(), args, b"");
    assert_eq!((code, table.lines().count()), (0, 9), "{table}");
}

#[test]
fn help_and_version_go_to_standard_output() {
    let dir = traces();
    let check = |args: &str, want: &[&str]| {
        let (code, stdout, stderr) = inval(dir.path(), args, b"");
        assert_eq!((code, stderr.as_str()), (0, ""), "{args:?}");
        assert!(want.iter().all(|part| stdout.contains(part)), "{args:?}: {stdout}");
    };
    check("", &["Usage: inval", "Examples:", "inval replay --trace", "Exit codes:"]);
    check("--help", &["Usage: inval", "Examples:", "Exit codes:"]);
    check("replay --help", &["--trace <FILE>", "Formats", "Workloads", "Examples:", "Exit codes:"]);
    check("--version", &[concat!("inval ", env!("CARGO_PKG_VERSION"))]);
}

#[test]
fn the_workloads_in_the_help_are_the_defaults() {
    let (_, help, _) = inval(Path::new("."), "replay --help", b"");
    for kind in ["zipf", "scan", "hotspot", "loop"] {
        let workload: inval_replay::Workload = kind.parse().unwrap();
        assert!(help.contains(&format!("  {workload}\n")), "{workload}");
    }
}

#[test]
fn a_bare_replay_is_a_demonstration() {
    let (code, table, stderr) = inval(Path::new("."), "replay --strategy lru,s3-fifo", b"");
    assert_eq!((code, table.lines().count()), (0, 3), "{table}");
    assert!(stderr.contains("s3-fifo keeps the popular ones through a scan"), "{stderr}");
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let dir = traces();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_inval"))
        .current_dir(dir.path())
        .args(["replay", "--trace", "t.csv"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
