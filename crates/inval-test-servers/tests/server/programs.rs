//! Programs that end badly while a server runs, and one that finds none: this test, started again.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{self, Child, ChildStdout, Command, Stdio};
use std::thread;

use inval_test_servers::Server;

use crate::support::patience::{eventually, refuses_connections};

/// What the program started again is to do.
const PART: &str = "INVAL_TEST_SERVERS_PART";

/// Not a test of its own: it plays its part if there is one.
#[test]
fn play() {
    let Some(part) = env::var_os(PART) else { return };
    let told = match thread::spawn(Server::redis).join().expect("no panic") {
        Ok(server) => {
            let port = server.port();
            std::mem::forget(server);
            port.to_string()
        }
        Err(error) => error.to_string(),
    };
    println!("\nTOLD {told}");
    std::io::stdout().flush().expect("read");
    match part.to_str() {
        Some("abort") => process::abort(),
        Some("wait") => thread::park(),
        _ => process::exit(0),
    }
}

/// This program with a part to play, and what it has told.
fn started_again(part: &str, configure: impl FnOnce(&mut Command)) -> (Child, String) {
    let mut command = Command::new(env::current_exe().expect("known"));
    command.args(["--exact", "server::programs::play", "--nocapture", "--test-threads=1"]);
    command.env(PART, part).stdout(Stdio::piped()).stderr(Stdio::null());
    configure(&mut command);
    let mut child = command.spawn().expect("it runs already");
    let output: ChildStdout = child.stdout.take().expect("piped");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let told = lines.find_map(|line| line.strip_prefix("TOLD ").map(str::to_owned));
    (child, told.expect("it tells"))
}

/// The server of a program that ends like this is gone soon after.
fn check(part: &str, end: impl FnOnce(&mut Child)) {
    let files = tempfile::tempdir().expect("writable");
    let (mut program, port) = started_again(part, |command| {
        // What it cannot delete any more goes with this directory.
        command.env("TMPDIR", files.path()).current_dir(files.path());
    });
    let port = port.parse().expect("a port");
    end(&mut program);
    program.wait().expect("ours");
    eventually("the port refuses connections", || refuses_connections(port));
}

#[test]
fn no_server_outlives_a_program_that_aborts() {
    check("abort", |_| ());
}

#[test]
fn no_server_outlives_a_program_that_is_killed() {
    check("wait", |program| {
        program.kill().expect("runs");
    });
}

#[test]
fn no_server_outlives_a_program_that_forgets_it() {
    check("exit", |_| ());
}

#[test]
fn without_redis_one_is_told_how_to_get_it() {
    let nowhere = |command: &mut Command| {
        command.env("INVAL_REDIS_SERVER", "/nowhere/redis-server");
    };
    let (mut program, told) = started_again("exit", nowhere);
    program.wait().expect("ours");
    assert!(told.contains("cargo xtask servers") && told.contains("apt-get install"), "{told}");
}
