//! Reads a target's text.

use std::net::Ipv6Addr;
use std::str::FromStr;

use super::{HostPort, Servers, Target, TargetError};
use crate::connect::credentials::Login;
use crate::connect::secret::Secret;

const SERVER_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    One,
    Unix,
    Cluster,
    Sentinel,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (scheme, rest) = text.split_once("://").ok_or(TargetError::Scheme)?;
        let (kind, is_encrypted) = parse_scheme(scheme)?;
        if kind == Kind::Unix {
            return parse_unix(rest);
        }
        let authority_len = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(authority_len);
        if path.contains('@') {
            return Err(TargetError::Unencoded);
        }
        if path.contains(['?', '#']) {
            return Err(TargetError::Option);
        }
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (parse_login(login)?, hosts),
            None => (None, authority),
        };
        let path = path.strip_prefix('/').unwrap_or(path);
        let (servers, db) = parse_servers(kind, hosts, path)?;
        Ok(Self { servers, is_encrypted, db, login })
    }
}

fn parse_scheme(scheme: &str) -> Result<(Kind, bool), TargetError> {
    let (base, kind) = match scheme.split_once('+') {
        None if scheme == "unix" => return Ok((Kind::Unix, false)),
        None => (scheme, Kind::One),
        Some((base, "unix")) => (base, Kind::Unix),
        Some((base, "cluster")) => (base, Kind::Cluster),
        Some((base, "sentinel")) => (base, Kind::Sentinel),
        Some(_) => return Err(TargetError::Scheme),
    };
    match base {
        "redis" | "valkey" => Ok((kind, false)),
        "rediss" | "valkeys" if kind != Kind::Unix => Ok((kind, true)),
        _ => Err(TargetError::Scheme),
    }
}

fn parse_servers(kind: Kind, hosts: &str, path: &str) -> Result<(Servers, u32), TargetError> {
    match kind {
        Kind::Cluster if !path.is_empty() => Err(TargetError::DatabaseInCluster),
        Kind::Cluster => Ok((Servers::Cluster(parse_hosts(hosts, SERVER_PORT)?), 0)),
        Kind::Sentinel => {
            let sentinels = parse_hosts(hosts, SENTINEL_PORT)?;
            let (master, db) = path.split_once('/').unwrap_or((path, ""));
            let master = decode(master)?.into_boxed_str();
            if master.is_empty() {
                return Err(TargetError::NoMaster);
            }
            Ok((Servers::Sentinel { sentinels, master }, parse_db(db)?))
        }
        Kind::One | Kind::Unix if hosts.contains(',') => Err(TargetError::SeveralHosts),
        Kind::One | Kind::Unix => {
            Ok((Servers::One(parse_host(hosts, SERVER_PORT)?), parse_db(path)?))
        }
    }
}

fn parse_unix(rest: &str) -> Result<Target, TargetError> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !path.starts_with('/') || path.len() == 1 {
        return Err(TargetError::Path);
    }
    if rest.contains('#') {
        return Err(TargetError::Option);
    }
    let (mut db, mut user, mut password) = (0, None, None);
    for option in query.split('&').filter(|option| !option.is_empty()) {
        match option.split_once('=').ok_or(TargetError::Option)? {
            ("db", value) => db = parse_db(value)?,
            ("user", value) => user = Some(decode(value)?),
            ("pass", value) => password = Some(decode(value)?),
            _ => return Err(TargetError::Option),
        }
    }
    let login = match (user, password) {
        (None, None) => None,
        (user, Some(password)) => {
            Some(Login { user: user.map(Secret::new), password: Secret::new(password) })
        }
        (Some(_), None) => return Err(TargetError::UserOrPassword),
    };
    let servers = Servers::Unix(decode(path)?.into());
    Ok(Target { servers, is_encrypted: false, db, login })
}

fn parse_login(text: &str) -> Result<Option<Login>, TargetError> {
    let (user, password) = text.split_once(':').ok_or(TargetError::UserOrPassword)?;
    let (user, password) = (decode(user)?, decode(password)?);
    match (user.is_empty(), password.is_empty()) {
        (true, true) => Ok(None),
        (_, true) => Err(TargetError::UserOrPassword),
        (no_user, false) => Ok(Some(Login {
            user: (!no_user).then(|| Secret::new(user)),
            password: Secret::new(password),
        })),
    }
}

fn parse_hosts(text: &str, default_port: u16) -> Result<Vec<HostPort>, TargetError> {
    text.split(',').map(|host| parse_host(host, default_port)).collect()
}

fn parse_host(text: &str, default_port: u16) -> Result<HostPort, TargetError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(TargetError::Host)?;
            host.parse::<Ipv6Addr>().map_err(|_| TargetError::Host)?;
            (host, port)
        }
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            if host.is_empty() {
                return Err(TargetError::NoHost);
            }
            let is_name =
                host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
            if !is_name {
                return Err(TargetError::Host);
            }
            (host, port)
        }
    };
    let port = match port.strip_prefix(':') {
        Some(digits) => parse_number(digits).filter(|&port| port != 0).ok_or(TargetError::Port)?,
        None if port.is_empty() => default_port,
        None => return Err(TargetError::Host),
    };
    Ok(HostPort::new(host, port))
}

fn parse_db(text: &str) -> Result<u32, TargetError> {
    if text.is_empty() { Ok(0) } else { parse_number(text).ok_or(TargetError::Database) }
}

/// A number of digits alone: no sign, unlike `str::parse`.
fn parse_number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Replaces each `%` and the two hexadecimal digits after it by the byte they stand for.
fn decode(text: &str) -> Result<String, TargetError> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = digit().zip(digit()).ok_or(TargetError::Encoding)?;
                (high << 4 | low) as u8
            }
            _ => byte,
        });
    }
    String::from_utf8(decoded).map_err(|_| TargetError::Encoding)
}

#[cfg(test)]
mod tests;
