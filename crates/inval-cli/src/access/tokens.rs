//! The tokens that are known, and who holds them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::Arc;

use inval_core::access::{Name, Principal};
use thiserror::Error;

use super::Roles;
use super::file::{self, Record, TokenFileError};
use super::moment::Moment;
use super::token::{Fingerprint, Token};

/// Every token of the file, by its hash.
#[derive(Default)]
pub(crate) struct Tokens(HashMap<Fingerprint, Arc<Holder>>);

/// Who comes with a token.
#[derive(Debug)]
pub(crate) struct Holder {
    pub(crate) principal: Principal,
    /// What the token is called.
    pub(crate) token: Box<str>,
    expires: Option<Moment>,
}

/// Why tokens cannot be followed.
#[derive(Debug, Error)]
pub(crate) enum AccessError {
    #[error("access.tokens: {0}")]
    File(#[from] TokenFileError),
    #[error(
        "access.tokens: the token {token} of {principal} has the role {role}, which is not in the settings; add \
         [access.roles.{role}], or revoke the token"
    )]
    UnknownRole { token: Box<str>, principal: Name, role: Name },
    #[error("access.tokens: the token {0} is there twice; leave one of them out")]
    Twice(Box<str>),
}

impl Tokens {
    /// Those of the file, with these roles.
    pub(crate) fn load(file: &Path, roles: &Roles) -> Result<Self, AccessError> {
        Self::new(file::read(file)?, roles)
    }

    fn new(records: Vec<Record>, roles: &Roles) -> Result<Self, AccessError> {
        let mut tokens = HashMap::with_capacity(records.len());
        for record in records {
            let fingerprint = record.sha256.0;
            let holder = Holder::new(record, roles)?;
            match tokens.entry(fingerprint) {
                Entry::Occupied(_) => return Err(AccessError::Twice(holder.token)),
                Entry::Vacant(place) => drop(place.insert(Arc::new(holder))),
            }
        }
        Ok(Self(tokens))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Who holds a token, unless it is unknown or has expired by `now`.
    pub(crate) fn holder(&self, token: &Token, now: Moment) -> Option<Arc<Holder>> {
        let holder = self.0.get(&token.fingerprint())?;
        holder.expires.is_none_or(|expires| now < expires).then(|| Arc::clone(holder))
    }
}

impl Holder {
    fn new(record: Record, roles: &Roles) -> Result<Self, AccessError> {
        let (principal, token) = (record.principal.0, record.sha256.0.id().into_boxed_str());
        let mut held = Vec::with_capacity(record.roles.len());
        for role in record.roles {
            match roles.get(&role.0) {
                Some(role) => held.push(Arc::clone(role)),
                None => return Err(AccessError::UnknownRole { token, principal, role: role.0 }),
            }
        }
        let expires = record.expires.map(|expires| expires.0);
        Ok(Self { principal: Principal::new(principal, held), token, expires })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use inval_core::access::{Operation, Role, Scope};

    use super::super::file::Text;
    use super::*;

    fn roles() -> Roles {
        let role = |name: &str, grant: &str| {
            let name: Name = name.parse().unwrap();
            (name.clone(), Arc::new(Role::new(name, [grant.parse().unwrap()])))
        };
        [role("reader", "allow read *"), role("writer", "allow write *")].into()
    }

    fn record(token: &Token, role: &str, expires: Option<Moment>) -> Record {
        Record {
            principal: Text("alice".parse().unwrap()),
            roles: vec![Text(role.parse().unwrap())],
            sha256: Text(token.fingerprint()),
            created: Text("2026-01-01T00:00:00Z".parse().unwrap()),
            expires: expires.map(Text),
            note: None,
        }
    }

    #[test]
    fn a_token_is_worth_something_until_it_expires() {
        let token = Token::generate().unwrap();
        let end: Moment = "2026-11-25T04:00:00Z".parse().unwrap();
        let tokens = Tokens::new(vec![record(&token, "reader", Some(end))], &roles()).unwrap();
        let check = |at: &str, want: bool| {
            assert_eq!(tokens.holder(&token, at.parse().unwrap()).is_some(), want, "{at}");
        };
        check("2026-11-25T03:59:59Z", true);
        check("2026-11-25T04:00:00Z", false);
        check("9999-01-01T00:00:00Z", false);
        assert!(tokens.holder(&Token::generate().unwrap(), end).is_none());
    }

    #[test]
    fn a_principal_may_have_several_tokens_each_with_its_roles() {
        let [one, other] = [(); 2].map(|()| Token::generate().unwrap());
        let records = vec![record(&one, "reader", None), record(&other, "writer", None)];
        let tokens = Tokens::new(records, &roles()).unwrap();
        let may = |token: &Token, operation| {
            let holder = tokens.holder(token, Moment::LAST.after(Duration::MAX)).unwrap();
            assert_eq!(holder.principal.name().as_str(), "alice");
            holder.principal.decide(operation, Scope::All).is_allowed()
        };
        assert!(may(&one, Operation::Read) && !may(&one, Operation::Write));
        assert!(may(&other, Operation::Write) && !may(&other, Operation::Read));
    }

    #[test]
    fn an_unknown_role_or_a_token_twice_is_refused() {
        let token = Token::generate().unwrap();
        let check = |records: Vec<Record>, want: &str| {
            let error = Tokens::new(records, &roles()).err().unwrap().to_string();
            assert!(error.contains(want) && !error.contains(token.reveal()), "{error}");
        };
        check(vec![record(&token, "owner", None)], "of alice has the role owner, which is not in");
        check(
            vec![record(&token, "reader", None), record(&token, "writer", None)],
            "is there twice",
        );
    }
}
