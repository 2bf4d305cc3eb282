//! A daemon that asks for tokens, and what its clients send.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::json;
use tempfile::TempDir;

use super::client::Response;
use super::daemon::Daemon;

/// Roles that each allow one operation on the namespace `users`, and some more.
const SETTINGS: &str = r#"
[access.roles]
nobody.grants = []
read.grants = ["allow read users"]
write.grants = ["allow write users"]
invalidate.grants = ["allow invalidate users"]
clear.grants = ["allow clear users"]
maintain.grants = ["allow maintain users"]
stats.grants = ["allow stats users"]
administer.grants = ["allow administer users"]
tenant.grants = ["allow all theirs*"]
careful.grants = ["allow all *", "deny clear,administer *"]
watcher.grants = ["allow stats *"]
admin.grants = ["allow all *"]
[namespaces.users]
max_entries = 1000
"#;

pub(crate) struct Guarded {
    pub(crate) daemon: Daemon,
    pub(crate) admin: String,
    directory: TempDir,
}

impl Guarded {
    pub(crate) fn start(args: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let tokens = directory.path().join("tokens.json");
        let text = format!("access.tokens = {:?}\n{SETTINGS}", tokens.to_str().unwrap());
        // Made first, for a daemon without its file does not start.
        let admin = create(&tokens, "root", "admin", &[]);
        let daemon = Daemon::with_config(&text, args);
        Self { daemon, admin, directory }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("tokens.json")
    }

    /// A new token with a role, which the daemon knows.
    pub(crate) fn token(&self, role: &str) -> String {
        let token = self.unknown_token(role, &[]);
        self.reload();
        token
    }

    /// A new token with a role, which the daemon knows after a reload.
    pub(crate) fn unknown_token(&self, role: &str, args: &[&str]) -> String {
        create(&self.file(), &format!("somebody-{role}"), role, args)
    }

    /// Takes a token out of the file.
    pub(crate) fn revoke(&self, token: &str) {
        let mut contents: serde_json::Value =
            serde_json::from_slice(&fs::read(self.file()).unwrap()).unwrap();
        let list = contents["tokens"].as_array_mut().unwrap();
        let id = id(token);
        list.retain(|record| !record["sha256"].as_str().unwrap().starts_with(&id));
        fs::write(self.file(), contents.to_string()).unwrap();
    }

    pub(crate) fn reload(&self) {
        let response = self.send(Some(&self.admin), ("POST", "/v1/reload"), None);
        assert_eq!(response.status, 200, "{response:?}");
    }

    /// Sends a request with a token, whatever that is, and perhaps JSON, and checks the answer against the document.
    pub(crate) fn send(
        &self,
        token: Option<&str>,
        request: (&str, &str),
        body: Option<&serde_json::Value>,
    ) -> Response {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        let body = body.map(serde_json::Value::to_string);
        self.daemon.call(request, &headers, body.as_ref().map(String::as_bytes))
    }

    /// What one of all operations is answered.
    pub(crate) fn ask(&self, token: Option<&str>, wish: &Wish, namespace: &str) -> Response {
        let path = wish.path.replace("NS", namespace);
        let body = wish.body.then(|| (wish.json)());
        self.send(token, (wish.method, &path), body.as_ref())
    }
}

fn create(file: &std::path::Path, principal: &str, role: &str, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    command.args(["token", "create", "--principal", principal, "--role", role]).args(args);
    let output = command.arg("--file").arg(file).unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What a token is called in the file.
fn id(token: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(token).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// An answer but for the time of day.
pub(crate) fn timeless(mut response: Response) -> Response {
    response.headers.retain(|(name, _)| name != "date");
    response
}

/// An operation of the API, and which of the roles may do it in the namespace `users`.
pub(crate) struct Wish {
    pub(crate) operation: &'static str,
    pub(crate) method: &'static str,
    /// With `NS` for the namespace.
    pub(crate) path: &'static str,
    body: bool,
    json: fn() -> serde_json::Value,
    pub(crate) roles: &'static [&'static str],
}

const ANY: &[&str] = &[
    "nobody",
    "read",
    "write",
    "invalidate",
    "clear",
    "maintain",
    "stats",
    "administer",
    "tenant",
    "careful",
    "watcher",
    "admin",
];
const SEES: &[&str] = &[
    "read",
    "write",
    "invalidate",
    "clear",
    "maintain",
    "stats",
    "administer",
    "careful",
    "watcher",
    "admin",
];
const READ: &[&str] = &["read", "careful", "admin"];
const WRITE: &[&str] = &["write", "careful", "admin"];
const INVALIDATE: &[&str] = &["invalidate", "careful", "admin"];
const MAINTAIN: &[&str] = &["maintain", "careful", "admin"];
const ADMINISTER: &[&str] = &["administer", "admin"];
const STATS_OF_ALL: &[&str] = &["careful", "watcher", "admin"];

macro_rules! wishes {
    ($($operation:literal $method:literal $path:literal $(($($json:tt)+))? => $roles:expr;)+) => {
        &[$(Wish {
            operation: $operation,
            method: $method,
            path: $path,
            body: wishes!(@has $($($json)+)?),
            json: || wishes!(@json $($($json)+)?),
            roles: $roles,
        }),+]
    };
    (@json) => { json!(null) };
    (@json $($json:tt)+) => { json!($($json)+) };
    (@has) => { false };
    (@has $($json:tt)+) => { true };
}

/// Every operation; what deletes the namespace stands last.
pub(crate) const WISHES: &[Wish] = wishes! {
    "health" "GET" "/v1/health" => ANY;
    "dashboard" "GET" "/" => ANY;
    "openapi" "GET" "/v1/openapi.json" => ANY;
    "listNamespaces" "GET" "/v1/namespaces" => ANY;
    "listStats" "GET" "/v1/stats" => ANY;
    "version" "GET" "/v1/version" => STATS_OF_ALL;
    "metrics" "GET" "/metrics" => STATS_OF_ALL;
    "ready" "GET" "/v1/ready" => STATS_OF_ALL;
    "getNamespace" "GET" "/v1/namespaces/NS" => SEES;
    "putEntry" "PUT" "/v1/namespaces/NS/entries/a" ("v") => WRITE;
    "putEntries" "POST" "/v1/namespaces/NS/batch/put" ({"entries": [{"key": "b", "value": "v"}]}) => WRITE;
    "getEntry" "GET" "/v1/namespaces/NS/entries/a" => READ;
    "headEntry" "HEAD" "/v1/namespaces/NS/entries/a" => READ;
    "explainKey" "GET" "/v1/namespaces/NS/explain/a" => READ;
    "getEntries" "POST" "/v1/namespaces/NS/batch/get" ({"keys": ["a"]}) => READ;
    "deleteEntry" "DELETE" "/v1/namespaces/NS/entries/a" => INVALIDATE;
    "invalidate" "POST" "/v1/namespaces/NS/invalidate" ({"keys": ["a"]}) => INVALIDATE;
    "clear" "POST" "/v1/namespaces/NS/clear" ({}) => &["clear", "admin"];
    "getStats" "GET" "/v1/namespaces/NS/stats" => &["stats", "careful", "watcher", "admin"];
    "startAnalysis" "POST" "/v1/namespaces/NS/analysis" ({}) => ADMINISTER;
    "getAnalysis" "GET" "/v1/namespaces/NS/analysis" => ADMINISTER;
    "cancelAnalysis" "DELETE" "/v1/namespaces/NS/analysis" => ADMINISTER;
    "run" "POST" "/v1/namespaces/NS/run" => MAINTAIN;
    "pause" "POST" "/v1/namespaces/NS/pause" => MAINTAIN;
    "resume" "POST" "/v1/namespaces/NS/resume" => MAINTAIN;
    "changeNamespace" "PATCH" "/v1/namespaces/NS" ({"max_entries": 900}) => ADMINISTER;
    "createNamespace" "PUT" "/v1/namespaces/NS" ({"max_entries": 900}) => ADMINISTER;
    "deleteNamespace" "DELETE" "/v1/namespaces/NS" => ADMINISTER;
    "reload" "POST" "/v1/reload" => &["admin"];
};

/// The names of all roles.
pub(crate) const ROLES: &[&str] = ANY;
