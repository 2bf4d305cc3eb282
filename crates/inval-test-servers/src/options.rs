//! What a server is to be like: flavour, endpoint, users, settings of its own, what stands before it.

use std::fmt;

/// Whose server it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Flavour {
    /// Redis 7 or later.
    #[default]
    Redis,
    /// Valkey 8 or later.
    Valkey,
}

/// Where clients reach the server; [`Server::url`](crate::Server::url) leads there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Endpoint {
    /// A plain port on 127.0.0.1.
    #[default]
    Tcp,
    /// A port on 127.0.0.1 that speaks TLS, and no plain one.
    Tls,
    /// The Unix socket. There is a plain port as well.
    Unix,
}

/// How to start a server. The default is a Redis on a plain port that saves nothing to disk.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Options {
    pub(crate) flavour: Flavour,
    pub(crate) endpoint: Endpoint,
    pub(crate) users: Vec<String>,
    pub(crate) args: Vec<String>,
    pub(crate) has_door: bool,
    pub(crate) has_clock: bool,
}

impl Options {
    /// A Redis server.
    pub fn redis() -> Self {
        Self::default()
    }

    /// A Valkey server; starting it fails where [`Flavour::is_available`] is false.
    pub fn valkey() -> Self {
        Self { flavour: Flavour::Valkey, ..Self::default() }
    }

    /// The endpoint that clients are to use.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Adds a user, or redefines `default`, by ACL rules: `app on >password ~app:* +@all`.
    #[must_use]
    pub fn user(mut self, rules: &str) -> Self {
        self.users.push(rules.to_owned());
        self
    }

    /// Clients need this password, like with `requirepass`.
    #[must_use]
    pub fn password(self, password: &str) -> Self {
        self.user(&format!("default on >{password} ~* &* +@all"))
    }

    /// Adds settings of the server as its command line takes them: `["--maxmemory", "10mb"]`.
    #[must_use]
    pub fn args<A: AsRef<str>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// The server has a [`Door`](crate::Door) before its port, and everybody is told the door's port:
    /// clients, replicas, sentinels, and the nodes of a cluster, whose bus alone goes past it.
    ///
    /// A fault for [`Who::All`](crate::Who) therefore hits a replica's link to its master and makes a
    /// master look down to sentinels; one for a user hits the clients that log in as that user. A
    /// server that is killed closes connections instead of refusing them. The Unix socket goes past
    /// the door, as do commands of the administrator.
    #[must_use]
    pub fn behind_a_door(mut self) -> Self {
        self.has_door = true;
        self
    }

    /// The server goes by a [`Clock`](crate::Clock) of its own, which
    /// [`Server::shift_clock`](crate::Server::shift_clock) sets; starting fails without libfaketime.
    ///
    /// It then takes memory from the C library instead of jemalloc, and is slow: it reads a file each
    /// time it looks at the clock, which leaves some thousand commands a second.
    #[must_use]
    pub fn with_clock(mut self) -> Self {
        self.has_clock = true;
        self
    }
}

impl fmt::Debug for Options {
    /// Users and settings may hold passwords: only their numbers are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("flavour", &self.flavour)
            .field("endpoint", &self.endpoint)
            .field("users", &self.users.len())
            .field("args", &self.args.len())
            .field("has_door", &self.has_door)
            .field("has_clock", &self.has_clock)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_password() {
        let options = Options::redis().password("hush").args(["--masterauth", "hush"]);
        assert!(!format!("{options:?}").contains("hush"));
    }
}
