//! The command `inval token` from the outside, and the commands that send a token to a daemon.

#![cfg(test)]

mod support;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use support::{Answer, Daemon, answer, problem};
use tempfile::TempDir;

/// What `inval` did: exit code, standard output, standard error.
type Done = (i32, String, String);

fn inval(args: &[&str], variables: &[(&str, &str)]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    for name in ["INVAL_TOKEN", "INVAL_ACCESS_TOKENS", "INVAL_DAEMON", "INVAL_NAMESPACE"] {
        command.env_remove(name);
    }
    let output = command.args(args).envs(variables.iter().copied()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A directory with a file of tokens to be.
struct Site(TempDir);

impl Site {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self) -> String {
        self.0.path().join("tokens.json").to_str().unwrap().to_owned()
    }

    fn run(&self, args: &str) -> Done {
        let file = self.file();
        let args: Vec<&str> = args.split(' ').chain(["--file", &file]).collect();
        inval(&args, &[])
    }

    /// Makes a token, and returns it.
    fn create(&self, args: &str) -> String {
        let (code, token, told) = self.run(&format!("token create {args}"));
        assert_eq!(code, 0, "{told}");
        assert!(!told.contains(token.trim()), "{told}");
        let expires = self.list().pop().unwrap()["expires"].as_str().unwrap_or("never").to_owned();
        assert!(told.contains(&format!(", expires {expires}; it is shown this once")), "{told}");
        token.trim().to_owned()
    }

    fn list(&self) -> Vec<Value> {
        let (code, list, told) = self.run("token list --output json");
        assert_eq!((code, told.as_str()), (0, ""));
        serde_json::from_str(&list).unwrap()
    }

    /// The names of all files.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn a_token_is_printed_once_and_only_its_hash_is_kept() {
    let site = Site::new();
    let token =
        site.create("--principal alice --role shop --role reader --expires 90d --note laptop");
    assert!(token.starts_with("inval_") && token.len() == 49, "{token}");
    let text = fs::read_to_string(site.file()).unwrap();
    assert!(!text.contains(&token) && text.contains("\"sha256\""), "{text}");
    let list = site.list();
    assert_eq!(list.len(), 1);
    let told = |field: &str| list[0][field].as_str().unwrap_or_default();
    assert_eq!((told("principal"), told("state"), told("note")), ("alice", "valid", "laptop"));
    assert_eq!(list[0]["roles"], serde_json::json!(["shop", "reader"]));
    assert!(told("expires") > told("created"), "{list:?}");
    assert_eq!(site.files(), ["tokens.json"]);
}

#[test]
fn tokens_are_listed_and_revoked_by_their_ids() {
    let site = Site::new();
    let tokens = ["alice", "bob", "alice"]
        .map(|name| site.create(&format!("--principal {name} --role r --expires 0s")));
    assert_ne!(tokens[0], tokens[2]);
    let list = site.list();
    assert!(list.iter().all(|token| token["state"] == "expired"), "{list:?}");
    let id = list[1]["id"].as_str().unwrap();
    let (code, _, told) = site.run(&format!("token revoke {id}"));
    assert_eq!(code, 0);
    assert!(told.contains("after a reload"), "{told}");
    let names: Vec<_> = site.list().iter().map(|token| token["principal"].clone()).collect();
    assert_eq!(names, ["alice", "alice"]);
    let (code, _, told) = site.run(&format!("token revoke {id}"));
    assert_eq!(code, 3);
    assert!(told.contains("there is no token"), "{told}");
    let (_, table, _) = site.run("token list");
    assert!(table.starts_with("id ") && table.lines().count() == 3, "{table}");
}

#[test]
fn what_cannot_be_is_refused() {
    let site = Site::new();
    let check = |args: &str, want_code: i32, want: &str| {
        let (code, out, told) = site.run(args);
        assert_eq!((code, out.as_str()), (want_code, ""), "{args}: {told}");
        assert!(told.contains(want), "{args}: {told}");
    };
    check("token list", 1, "tokens.json: No such file");
    check("token create --role r", 2, "--principal");
    check("token create --principal a", 2, "--role");
    check("token create --principal a/b --role r", 2, "letters, digits");
    check("token create --principal a --role r --expires 90", 2, "lacks its unit");
    site.create("--principal a --role r");
    let busy = format!("{}.new", site.file());
    fs::write(&busy, "").unwrap();
    check("token create --principal a --role r", 1, "another `inval token` is at work");
    assert!(Path::new(&busy).exists());
    fs::remove_file(&busy).unwrap();
    fs::write(site.file(), "{\"tokens\": [\"hush\"]}").unwrap();
    let before = fs::read(site.file()).unwrap();
    check("token create --principal a --role r", 2, "tokens.json:1:");
    let (_, _, told) = site.run("token list");
    assert!(!told.contains("hush"), "{told}");
    assert_eq!((fs::read(site.file()).unwrap(), site.files().len()), (before, 1));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new();
    let mode = || fs::metadata(site.file()).unwrap().permissions().mode() & 0o777;
    let set = |mode| fs::set_permissions(site.file(), fs::Permissions::from_mode(mode)).unwrap();
    site.create("--principal a --role r");
    assert_eq!(mode(), 0o600);
    set(0o640);
    site.create("--principal a --role r");
    assert_eq!(mode(), 0o640, "a group that may read it may still");
    for exposed in [0o644, 0o660, 0o602] {
        set(exposed);
        let (code, _, told) = site.run("token create --principal a --role r");
        assert_eq!(code, 2);
        assert!(told.contains("do chmod 600"), "{told}");
    }
    assert_eq!(site.files(), ["tokens.json"]);
}

#[test]
fn a_daemon_does_not_start_open_to_others_by_a_slip() {
    let site = Site::new();
    site.create("--principal a --role r");
    let check = |args: &[&str], variables: &[(&str, &str)], want: &str| {
        let (code, out, told) = inval(&[&["serve"], args].concat(), variables);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {told}");
        assert!(told.contains(want), "{args:?}: {told}");
    };
    check(&["--listen", "0.0.0.0:0"], &[], "set http.allow_open = true");
    check(&["--listen", "[::]:0"], &[], "set http.allow_open = true");
    let tokens = ("INVAL_ACCESS_TOKENS", &*site.file());
    check(&["--listen", "0.0.0.0:0"], &[tokens], "set http.allow_plaintext = true");
    check(
        &["--listen", "0.0.0.0:0"],
        &[tokens, ("INVAL_HTTP_ALLOW_OPEN", "true")],
        "allow_plaintext",
    );
    check(&["--listen", "127.0.0.1:0"], &[tokens], "has the role r, which is not in the settings");
    let missing = ("INVAL_ACCESS_TOKENS", "/nowhere/tokens.json");
    let (code, _, told) = inval(&["serve", "--listen", "127.0.0.1:0"], &[missing]);
    assert_eq!(code, 2);
    assert!(told.contains("access.tokens: /nowhere/tokens.json: No such file"), "{told}");
}

const TOKEN: &str = "inval_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Runs `inval get k -n users` with a token of the environment against a daemon that plays `played`.
fn get(played: Answer, token: &str, args: &[&str]) -> (Done, Option<String>) {
    let daemon = Daemon::playing([played]);
    let args = [&["get", "k", "-n", "users"], args].concat();
    let done = inval(&args, &[("INVAL_TOKEN", token), ("INVAL_DAEMON", &daemon.url)]);
    let asked = daemon.asked();
    // A secret stands nowhere but in its header.
    assert!(asked.iter().all(|asked| asked.line.ends_with("/entries/k") && asked.body.is_empty()));
    let sent = asked.first().and_then(|asked| asked.headers.get("authorization").cloned());
    (done, sent)
}

#[test]
fn the_token_comes_from_the_environment_or_a_file() {
    let site = Site::new();
    let bearer = Some(format!("Bearer {TOKEN}"));
    assert_eq!(get(answer(200, "v"), TOKEN, &[]), ((0, "v".into(), String::new()), bearer.clone()));
    assert_eq!(get(answer(200, "v"), "", &[]).1, None);
    let file = site.0.path().join("token");
    let path = file.to_str().unwrap();
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    #[cfg(unix)]
    {
        let ((code, _, told), sent) = get(answer(200, "v"), "", &["--token-file", path]);
        assert_eq!((code, sent), (2, None));
        assert!(told.contains("do chmod 600"), "{told}");
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(get(answer(200, "v"), "wrong", &["--token-file", path]).1, bearer);
}

#[test]
fn what_is_no_token_is_neither_sent_nor_shown() {
    let ((code, out, told), sent) = get(answer(200, "v"), "hush", &[]);
    assert_eq!((code, out.as_str(), sent), (2, "", None));
    assert!(
        told.starts_with("inval: INVAL_TOKEN: a token is inval_ and 43") && !told.contains("hush")
    );
    let (code, _, told) = inval(&["get", "k", "-n", "users", "--token", TOKEN], &[]);
    assert_eq!(code, 2);
    assert!(told.contains("--token"), "{told}");
}

#[test]
fn a_refusal_is_exit_code_5_and_says_what_to_do() {
    let check = |played: Answer, token: &str, want: &str| {
        let ((code, out, told), _) = get(played, token, &[]);
        assert_eq!((code, out.as_str()), (5, ""), "{told}");
        assert!(told.contains(want) && !told.contains(TOKEN), "{told}");
    };
    let challenge = |status, kind| problem(status, kind, "x").header("WWW-Authenticate", "Bearer");
    check(
        challenge(401, "unauthenticated"),
        "",
        "wants a token; give one by INVAL_TOKEN or --token-file",
    );
    check(challenge(401, "unauthenticated"), TOKEN, "the token is worth nothing to the daemon at");
    check(problem(403, "forbidden", "x"), TOKEN, "the token may not do this at the daemon at");
    check(problem(429, "too-many-attempts", "x"), TOKEN, "the token is worth nothing");
}
