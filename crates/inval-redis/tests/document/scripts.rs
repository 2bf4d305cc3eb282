//! Every script says what it takes and gives, touches only the keys it was given, and ends.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// The scripts with their names.
fn scripts() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scripts");
    let scripts: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap()))
        .collect();
    assert!(scripts.len() >= 3);
    scripts
}

#[test]
fn a_script_opens_with_its_keys_arguments_and_reply() {
    for (name, text) in scripts() {
        let header: Vec<&str> = text.lines().take_while(|line| line.starts_with("--")).collect();
        for part in ["-- KEYS   1 ", "-- ARGV   1 ", "-- Reply  "] {
            assert!(header.iter().any(|line| line.starts_with(part)), "{name} lacks {part}");
        }
        assert!(header[0].len() > 20, "{name} does not say what it does");
    }
}

/// Its work is bounded by its keys and arguments: it loops over nothing else, and asks for nothing whose
/// size it does not know.
#[test]
fn a_script_does_no_unbounded_work() {
    for (name, text) in scripts() {
        let code = code_of(&text);
        for endless in ["while ", "repeat", "goto ", "'KEYS'", "'SCAN'", "'HGETALL'", "'SMEMBERS'"]
        {
            assert!(!code.contains(endless), "{name} has {endless}");
        }
        for head in code.lines().filter(|line| line.trim_start().starts_with("for ")) {
            let ends = ["#KEYS do", "#results do", "evicted do", "#ARGV do"];
            assert!(ends.iter().any(|end| head.ends_with(end)), "{name}: {head}");
        }
    }
}

/// A server that spreads keys over threads or nodes has to know beforehand which ones a script touches.
#[test]
fn a_script_touches_only_keys_that_it_was_given() {
    let mut calls = 0;
    for (name, text) in scripts() {
        let code = code_of(&text);
        let given = aliases(&code);
        for (command, arguments) in calls_in(&code) {
            let key = match command {
                "'TIME'" => continue,
                "'OBJECT'" | "command" => &arguments[1],
                _ => &arguments[0],
            };
            let key = key.trim_start_matches("unpack(").trim_end_matches(')');
            assert!(key.starts_with("KEYS[") || given.contains(key), "{name}: {command} {key}");
            calls += 1;
        }
    }
    assert!(calls > 15, "{calls} calls were found");
}

fn code_of(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("--").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// Command and arguments of each call.
fn calls_in(code: &str) -> Vec<(&str, Vec<&str>)> {
    let starts = code.split("redis.call(").skip(1).chain(code.split("redis.pcall(").skip(1));
    let calls = starts.map(|rest| {
        let mut depth = 0;
        let end = rest.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth < 0
        });
        let mut words = split(&rest[..end.unwrap()]);
        (words.remove(0), words)
    });
    calls.collect()
}

/// The names of variables that hold a key out of `KEYS`, or a list of such.
fn aliases(code: &str) -> HashSet<&str> {
    let mut given = HashSet::new();
    for _ in 0..3 {
        for line in code.lines().map(str::trim) {
            if let Some((names, values)) =
                line.strip_prefix("local ").and_then(|l| l.split_once(" = "))
            {
                for (name, value) in split(names).into_iter().zip(split(values)) {
                    if value.starts_with("KEYS[") {
                        given.insert(name);
                    }
                }
            }
            if let Some((list, value)) = line.split_once("] = ")
                && given.contains(value)
            {
                given.insert(list.split('[').next().unwrap());
            }
            if let Some((function, parameter)) =
                line.strip_prefix("local function ").and_then(|l| l.split_once('('))
            {
                let parameter = parameter.trim_end_matches(')');
                let uses: Vec<_> = code.split(&format!("= {function}(")).skip(1).collect();
                let argument = |rest: &&str| given.contains(rest.split(')').next().unwrap());
                if !uses.is_empty() && uses.iter().all(argument) {
                    given.insert(parameter);
                }
            }
        }
    }
    given
}

/// Splits at commas outside brackets.
fn split(list: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = list.split(move |c| {
        depth += i32::from("([{".contains(c)) - i32::from(")]}".contains(c));
        c == ',' && depth == 0
    });
    parts.map(str::trim).collect()
}
