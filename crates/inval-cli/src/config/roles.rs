//! The roles of the file: from the texts of their grants to what they allow.

use std::sync::Arc;

use inval_core::access::{Grant, Name, Role};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Origin, Problem};
use super::fields::{GRANTS, ROLES};
use super::settings::Settings;
use crate::access::Roles;

type Errors = Vec<(Origin, Problem)>;

/// The roles in `file`, and what is wrong with them. Where there are no tokens there must be none.
pub(super) fn read(file: &DeTable<'_>, settings: &Settings) -> (Roles, Errors) {
    let (mut roles, mut errors) = (Roles::new(), Errors::new());
    let Some((at, table)) = find(file) else { return (roles, errors) };
    let DeValue::Table(table) = table.get_ref() else {
        return (roles, vec![(Origin::File(table.span()), Problem::NotARole)]);
    };
    if settings.access.tokens.is_none() && !table.is_empty() {
        errors.push((Origin::File(at), Problem::RolesWithoutTokens));
    }
    for (key, value) in table {
        let name = key.get_ref().parse::<Name>();
        let name = name.map_err(|error| vec![(Origin::File(key.span()), error.into())]);
        match (name, grants(value)) {
            (Ok(name), Ok(grants)) => {
                roles.insert(name.clone(), Arc::new(Role::new(name, grants)));
            }
            (name, grants) => errors.extend(name.err().into_iter().chain(grants.err()).flatten()),
        }
    }
    (roles, errors)
}

/// The table of all roles, and where it stands.
fn find<'a, 'b>(
    file: &'a DeTable<'b>,
) -> Option<(std::ops::Range<usize>, &'a Spanned<DeValue<'b>>)> {
    let (section, name) = ROLES.split_once('.')?;
    let DeValue::Table(section) = file.get(section)?.get_ref() else { return None };
    let (key, table) = section.get_key_value(name)?;
    Some((key.span(), table))
}

fn grants(role: &Spanned<DeValue<'_>>) -> Result<Vec<Grant>, Errors> {
    let not_a_role = || vec![(Origin::File(role.span()), Problem::NotARole)];
    let DeValue::Table(table) = role.get_ref() else { return Err(not_a_role()) };
    let mut others = table.keys().filter(|key| key.get_ref() != GRANTS.0);
    if let Some(key) = others.next() {
        return Err(vec![(Origin::File(key.span()), Problem::NotARole)]);
    }
    let list = table.get(GRANTS.0).ok_or_else(not_a_role)?;
    let DeValue::Array(texts) = list.get_ref() else {
        return Err(vec![(Origin::File(list.span()), Problem::NotAList)]);
    };
    let (mut grants, mut errors) = (Vec::with_capacity(texts.len()), Errors::new());
    for text in texts.iter() {
        let grant = match text.get_ref() {
            DeValue::String(text) => text.parse().map_err(Problem::Grant),
            _ => Err(Problem::NotAList),
        };
        match grant {
            Ok(grant) => grants.push(grant),
            Err(problem) => errors.push((Origin::File(text.span()), problem)),
        }
    }
    if errors.is_empty() { Ok(grants) } else { Err(errors) }
}
