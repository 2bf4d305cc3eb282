//! The commands `inval config` and `inval completions` from the outside: output, errors and exit codes.

#![cfg(test)]

use std::path::Path;

use assert_cmd::Command;

const FILE: &str = r#"store = "redis://127.0.0.1"

[namespaces.sessions]
strategy = "lru"
max_entries = 100000
max_bytes = "256 MiB"
ttl = "10m"
manager.max_lag = "200ms"

[namespaces.pages]
time_to_idle = "90s"
partitions = 4
"#;

/// What `inval` did: exit code, standard output, standard error.
fn inval(
    dir: &Path,
    args: &str,
    variables: &[(&str, &str)],
    stdin: impl Into<Vec<u8>>,
) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("INVAL_") {
            command.env_remove(name);
        }
    }
    let command = command.current_dir(dir).args(args.split_whitespace());
    let output = command.envs(variables.iter().copied()).write_stdin(stdin).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_valid_file_is_told_in_a_table() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("inval.toml"), FILE).unwrap();
    let want = "\
        inval.toml: 2 namespaces, store redis://127.0.0.1:6379\n\
        namespace  strategy  max entries  max bytes  ttl  idle  partitions  max lag\n\
        pages       s3-fifo            -          -    -   90s           4       1s\n\
        sessions        lru      100,000    256 MiB  10m     -           -    200ms\n";
    let check = |args: &str, stdin: &str, want: &str| {
        let got = inval(dir.path(), args, &[], stdin);
        assert_eq!(got, (0, want.to_owned(), String::new()), "{args}");
    };
    check("config check", "", want);
    check("config check inval.toml", "", want);
    check("config check -", FILE, &want.replace("inval.toml", "stdin"));
    check("config check -", "", "stdin: 0 namespaces, store memory:\n");
}

#[test]
fn the_environment_counts() {
    let dir = tempfile::tempdir().unwrap();
    let check = |variables: &[(&str, &str)], want: (i32, &str, &str)| {
        let got = inval(dir.path(), "config check -", variables, "");
        assert_eq!(got, (want.0, want.1.to_owned(), want.2.to_owned()));
    };
    let server = "stdin: 0 namespaces, store redis://host:6379\n";
    check(&[("INVAL_STORE", "redis://bob:hush@host")], (0, server, ""));
    let error = "inval: INVAL_HTTP_LISTEN: http.listen: an address is an IP address and a port, such as \
                 127.0.0.1:7171 or [::1]:7171\n";
    check(&[("INVAL_HTTP_LISTEN", "localhost")], (2, "", error));
}

#[test]
fn failures_say_what_is_wrong_and_where() {
    let dir = tempfile::tempdir().unwrap();
    let check = |args: &str, stdin: &str, code: i32, want: &str| {
        let (got, stdout, stderr) = inval(dir.path(), args, &[], stdin);
        assert_eq!((got, stdout.as_str()), (code, ""), "{args}: {stderr}");
        assert!(stderr.starts_with(&format!("inval: {want}")), "{args}: {stderr}");
    };
    check("config check", "", 1, "inval.toml: cannot be read: No such file");
    check("config check none.toml", "", 1, "none.toml: cannot be read: No such file");
    let want = "stdin:2:1: there is no field listn here; is it listen?\n  |\n2 | listn = ***\n";
    check("config check -", "[http]\nlistn = 1\n", 2, want);
    check("config check -", "store = \"redis://", 2, "stdin:1:9: this is not TOML: ");
    let (code, _, stderr) = inval(dir.path(), "config check -", &[], b"[redis]\nlease = \"\xff\"");
    assert_eq!(code, 2);
    assert!(stderr.starts_with("inval: stdin:2:10: this is not UTF-8\n"), "{stderr}");
}

#[test]
fn a_password_in_the_file_is_warned_of_and_not_shown() {
    let file = "store = \"redis://bob:hush@host\"\n";
    let (code, stdout, stderr) = inval(Path::new("."), "config check -", &[], file);
    assert_eq!((code, stdout.as_str()), (0, "stdin: 0 namespaces, store redis://host:6379\n"));
    assert!(
        stderr.starts_with("inval: stdin: line 1: the URL holds user or password;"),
        "{stderr}"
    );
    assert!(!stderr.contains("hush"));
}

#[test]
fn the_example_passes_the_check() {
    let (code, example, stderr) = inval(Path::new("."), "config example", &[], "");
    assert_eq!((code, stderr.as_str()), (0, ""));
    let checked = inval(Path::new("."), "config check -", &[], example);
    assert_eq!(checked, (0, "stdin: 0 namespaces, store memory:\n".to_owned(), String::new()));
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let args = format!("completions {shell}");
        let (code, script, stderr) = inval(Path::new("."), &args, &[], "");
        assert_eq!((code, stderr.as_str()), (0, ""), "{shell}");
        assert!(script.contains("replay") && script.contains("config"), "{shell}: {script}");
    }
    assert_eq!(inval(Path::new("."), "completions ksh", &[], "").0, 2);
}
