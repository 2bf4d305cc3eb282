//! Processes of other programs than servers.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use inval_test_servers::Process;
use tempfile::tempdir;

use crate::support::patience::{eventually, process_exists};

/// A shell that runs this script in a directory, where it writes `out` and `err`.
fn shell(script: &str, directory: &Path) -> Process {
    let file = |name| File::create(directory.join(name)).expect("writable");
    let mut command = Command::new("sh");
    command.args(["-c", script]).env("GREETING", "hello").env_remove("HOME");
    command.current_dir(directory);
    Process::start(&command, file("out"), file("err")).expect("started")
}

#[test]
fn a_program_has_its_arguments_variables_and_files() {
    let directory = tempdir().expect("writable");
    let script = r#"echo "$GREETING${HOME-, homeless}"; pwd >&2; exit 3"#;
    let process = shell(script, directory.path());
    eventually("it has ended", || !process.is_running());
    assert_eq!(process.ended().expect("ours").and_then(|status| status.code()), Some(3));
    let text = |name| fs::read_to_string(directory.path().join(name)).expect("written");
    assert_eq!(text("out"), "hello, homeless\n");
    assert_eq!(Path::new(text("err").trim_end()), directory.path().canonicalize().expect("exists"));
}

#[test]
fn a_process_runs_until_it_is_killed_or_dropped() {
    let directory = tempdir().expect("writable");
    let killed = shell("exec sleep 600", directory.path());
    assert!(killed.is_running());
    killed.pause().expect("runs");
    assert!(killed.is_running());
    killed.resume().expect("paused");
    killed.kill().expect("runs");
    killed.kill().expect("harmless");
    assert!(!killed.is_running() && !process_exists(killed.pid()));
    killed.pause().expect_err("there is none");
    killed.resume().expect_err("there is none");

    let dropped = shell("exec sleep 600", directory.path());
    let pid = dropped.pid();
    drop(dropped);
    assert!(!process_exists(pid));
}
