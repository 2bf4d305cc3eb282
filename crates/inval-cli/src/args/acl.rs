//! What can be said to `inval acl`.

use clap::{Args, ValueEnum};
use inval_redis::acl::{Deployment, Layout, Reading, Role, Scope};

#[derive(Debug, Args)]
pub(crate) struct AclArgs {
    /// Namespace the user is there for, or a pattern of names with * and ?; may be given several times
    #[arg(short = 'n', long = "namespace", value_name = "NS", required = true)]
    scopes: Vec<Scope>,

    /// What the user is there for: app, reader, manager or admin
    #[arg(long)]
    pub(crate) role: Role,

    /// Name of the user [default: that of the role]
    #[arg(long, value_name = "NAME", value_parser = parse_user)]
    user: Option<String>,

    /// The most partitions that one of the namespaces has
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16_384))]
    partitions: u32,

    /// The namespaces have a time to idle
    #[arg(long)]
    time_to_idle: bool,

    /// How the servers are arranged
    #[arg(long, value_name = "KIND", value_enum, default_value_t = Servers::Single)]
    servers: Servers,

    /// Number of the database
    #[arg(long, value_name = "N", default_value_t = 0)]
    db: u32,

    /// How to print the rules
    #[arg(long, value_name = "FORM", value_enum, default_value_t = RulesForm::Rules)]
    pub(crate) output: RulesForm,
}

/// The arrangements of servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Servers {
    /// One server
    Single,
    /// A Cluster: the user is to be made on every node
    Cluster,
    /// Behind sentinels: the user is to be made on the master and on its replicas
    Sentinel,
}

/// The forms in which rules are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum RulesForm {
    /// A line of a server's ACL file
    Rules,
    /// The command, as redis-cli takes it
    Setuser,
    /// An object for programs
    Json,
}

impl AclArgs {
    pub(crate) fn layout(&self) -> Layout {
        Layout {
            scopes: self.scopes.clone(),
            partitions: self.partitions,
            reading: if self.time_to_idle { Reading::Idle } else { Reading::Plain },
            deployment: match self.servers {
                Servers::Single => Deployment::Single,
                Servers::Cluster => Deployment::Cluster,
                Servers::Sentinel => Deployment::Sentinel,
            },
            db: self.db,
        }
    }

    pub(crate) fn user(&self) -> &str {
        self.user.as_deref().unwrap_or(self.role.name())
    }
}

/// A name that needs no quotes, wherever it is put.
fn parse_user(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@:".contains(&byte);
    let is_valid = !text.is_empty() && text.bytes().all(is_plain);
    is_valid.then(|| text.to_owned()).ok_or("give letters, digits, '.', '_', '-', '@' or ':'")
}
