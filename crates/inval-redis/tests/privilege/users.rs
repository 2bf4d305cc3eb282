//! Users of a server that have the rights of a role, and what the server says it has denied them.

use inval_redis::acl::{Layout, Part, Role, Rules};
use inval_redis::{Client, ConnectOptions};
use inval_test_servers::Server;

use crate::support::site::patient;

/// The namespace that users are there for.
pub(super) const NAMESPACE: &str = "users";

pub(super) fn layout() -> Layout {
    Layout::of(vec![NAMESPACE.parse().unwrap()])
}

/// Makes the server know a user by the name of its role.
pub(super) fn set_user(server: &Server, role: Role, rules: &Rules) {
    let mut command: Vec<String> =
        Vec::from(["ACL", "SETUSER", role.name(), "reset", "on"].map(String::from));
    command.push(">password".to_owned());
    command.extend(rules.words());
    assert!(server.command(&command).unwrap().is_ok(), "{command:?}");
}

pub(super) async fn client(server: &Server, role: Role) -> Result<Client, inval_redis::Error> {
    let url = server.url().replace("redis://", &format!("redis://{role}:password@"));
    Client::connect(&url.parse().unwrap(), ConnectOptions { connections: 1, ..patient() }).await
}

/// What the server has denied since it was last asked.
pub(super) fn denials(server: &Server) -> Vec<String> {
    let log = server.command(&["ACL", "LOG"]).unwrap();
    assert!(server.command(&["ACL", "LOG", "RESET"]).unwrap().is_ok());
    let object = |entry: &inval_test_servers::Reply| entry.items()[7].text().unwrap().to_owned();
    log.items().iter().map(object).collect()
}

/// The name of a key of each part, of the namespace's first partition.
pub(super) fn name_of(part: Part, namespace: &str) -> String {
    match part {
        Part::Entries => format!("inval:{{{namespace}:0}}:k:alice"),
        Part::Journal => format!("inval:{{{namespace}:0}}:j"),
        Part::Accesses => format!("inval:{{{namespace}:0}}:a"),
        Part::Lease => format!("inval:{{{namespace}:0}}:lease"),
        Part::Accounts => format!("inval:{{{namespace}:0}}:s"),
        Part::Config => format!("inval:{{{namespace}}}:config"),
        Part::Listing => "inval:{0}:config".to_owned(),
    }
}
