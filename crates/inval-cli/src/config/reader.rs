//! Reads texts and variables into fields, and notes what is wrong and where each value came from.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error as TomlError};

use super::error::{ConfigFileError, Origin, Problem};
use super::excerpt::line_number;
use super::field::Field;
use super::fields::{FIELDS, NAMESPACES, ROLES, SECTIONS};
use super::namespaces;
use super::nearest::nearest;
use super::roles;
use super::rules::{AtMost, NAMESPACE_RULES, RULES};
use super::settings::{Settings, Warning};
use super::value::{Input, Wrong};
use super::variables::Variables;
use crate::args::Place;

/// Variables that begin like ours and mean something else.
const OTHER_VARIABLES: [&str; 3] =
    ["INVAL_REDIS_USER", "INVAL_REDIS_PASSWORD", "INVAL_REDIS_SERVER"];

impl Settings {
    /// What `text`, of the file called `file`, says, and `variables` instead where they say something. An
    /// error lists all that is wrong; a text that is no TOML is not looked into further.
    pub(crate) fn parse(
        file: &str,
        text: &str,
        variables: &Variables,
    ) -> Result<Self, ConfigFileError> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let errors = errors.iter().map(|error| of_toml(error, text.len())).collect();
            return Err(ConfigFileError::new(file, text, errors));
        }
        let mut reader = Reader::new(FIELDS, Self::default(), &[NAMESPACES, ROLES]);
        reader.read_table(table.get_ref(), "");
        reader.read_variables(variables);
        reader.keep_to(RULES);
        reader.check_pairs();
        reader.warn_of_password(text);
        if reader.errors.is_empty()
            && let Err(error) = reader.settings.pacing.validate()
        {
            reader.errors.push((Origin::File(0..0), error.into()));
        }
        let namespaces = table.get_ref().get(NAMESPACES);
        let rules = if reader.errors.is_empty() { NAMESPACE_RULES } else { &[] };
        let (namespaces, more) = namespaces::read(namespaces, &reader.settings, rules);
        let (roles, wrong) = roles::read(table.get_ref(), &reader.settings);
        let Reader { mut settings, mut errors, .. } = reader;
        errors.extend(more);
        errors.extend(wrong);
        if !errors.is_empty() {
            return Err(ConfigFileError::new(file, text, errors));
        }
        settings.namespaces = namespaces.settings;
        settings.key_secrets = namespaces.key_secrets;
        settings.access.roles = roles;
        Ok(settings)
    }
}

fn of_toml(error: &TomlError, end: usize) -> (Origin, Problem) {
    let problem = match error.message() {
        "duplicate key" => Problem::Twice,
        message => Problem::Syntax(message.into()),
    };
    (Origin::File(error.span().unwrap_or(end..end)), problem)
}

/// Fills `settings`, by their fields.
pub(super) struct Reader<S: 'static> {
    fields: &'static [Field<S>],
    pub(super) settings: S,
    /// Tables that somebody else reads.
    others: &'static [&'static str],
    /// Where fields were set.
    origins: BTreeMap<&'static str, Origin>,
    pub(super) errors: Vec<(Origin, Problem)>,
}

impl<S: 'static> Reader<S> {
    pub(super) fn new(
        fields: &'static [Field<S>],
        settings: S,
        others: &'static [&'static str],
    ) -> Self {
        Self { fields, settings, others, origins: BTreeMap::new(), errors: Vec::new() }
    }

    /// Reads a table into the fields whose names begin with `prefix`.
    pub(super) fn read_table(&mut self, table: &DeTable<'_>, prefix: &str) {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            let field = self.fields.iter().find(|field| field.name == name);
            let inner = format!("{name}.");
            let is_section = self.fields.iter().any(|field| field.name.starts_with(&inner));
            match (field, value.get_ref()) {
                (Some(field), _) => self.set(field, value),
                (None, DeValue::Table(table)) if is_section => self.read_table(table, &inner),
                (None, _) if self.others.contains(&name.as_str()) => {}
                (None, _) => self.complain(key.span(), self.unknown(key.get_ref(), prefix)),
            }
        }
    }

    fn set(&mut self, field: &Field<S>, value: &Spanned<DeValue<'_>>) {
        self.origins.insert(field.name, Origin::File(value.span()));
        if let Err(wrong) = (field.set)(&mut self.settings, Input::of_toml(value.get_ref())) {
            self.complain(value.span(), Problem::Value { field: field.name, wrong });
        }
    }

    fn complain(&mut self, at: Range<usize>, problem: Problem) {
        self.errors.push((Origin::File(at), problem));
    }

    /// What is wrong with a key that is none of the fields and sections behind `prefix`.
    fn unknown(&self, key: &str, prefix: &str) -> Problem {
        let mut known: Vec<&'static str> = Vec::new();
        let names = self.fields.iter().map(|field| field.name).chain(self.others.iter().copied());
        for name in names.filter_map(|name| name.strip_prefix(prefix)) {
            let name = name.split('.').next().unwrap_or(name);
            if !known.contains(&name) {
                known.push(name);
            }
        }
        if known.contains(&key) {
            return Problem::NotASection;
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let name =
            (key.len() <= 40 && !key.is_empty() && key.chars().all(is_plain)).then(|| key.into());
        Problem::UnknownField { name, near: nearest(key, known.iter().copied()), known }
    }

    /// Where a field was set, if it was.
    pub(super) fn origin(&self, field: &str) -> Option<Origin> {
        self.origins.get(field).cloned()
    }

    /// Lowers what nobody set to what others ask for, and complains of what somebody set too high. Does
    /// nothing where values are missing for they were wrong.
    pub(super) fn keep_to(&mut self, rules: &[AtMost<S>]) {
        if !self.errors.is_empty() {
            return;
        }
        for rule in rules {
            match self.origins.get(rule.small) {
                _ if (rule.holds)(&self.settings) => {}
                None => (rule.lower)(&mut self.settings),
                Some(origin) => {
                    let origin = match self.origins.get(rule.large) {
                        Some(large @ Origin::Variable(_)) => large.clone(),
                        _ => origin.clone(),
                    };
                    let problem = self.above(rule);
                    self.errors.push((origin, problem));
                }
            }
        }
    }

    fn above(&self, rule: &AtMost<S>) -> Problem {
        let value = |name: &str| {
            let field = self.fields.iter().find(|field| field.name == name);
            let shown = field.and_then(|field| (field.show)(&self.settings));
            shown.unwrap_or_default().replace('"', "").into()
        };
        let AtMost { small, large, share, .. } = *rule;
        Problem::Above { small, low: value(small), share, large, high: value(large) }
    }
}

impl Reader<Settings> {
    /// Sets what variables set, and complains of those that are like ours and are none.
    fn read_variables(&mut self, variables: &Variables) {
        for field in self.fields {
            let name = field.variable();
            let Some(value) = variables.get(&name) else { continue };
            let origin = Origin::Variable(name.into());
            let set = value.to_str().ok_or(Wrong::NotUtf8);
            let set = set.and_then(|text| (field.set)(&mut self.settings, Input::Variable(text)));
            if let Err(wrong) = set {
                self.errors.push((origin.clone(), Problem::Value { field: field.name, wrong }));
            }
            self.origins.insert(field.name, origin);
        }
        for name in variables.names().filter(|name| is_unknown(name)) {
            let known: Vec<String> = self.fields.iter().map(Field::variable).collect();
            let known = known.iter().map(String::as_str).chain(OTHER_VARIABLES);
            let near = nearest(name, known).map(Into::into);
            self.errors.push((Origin::Variable(name.into()), Problem::UnknownVariable { near }));
        }
    }

    fn check_pairs(&mut self) {
        let Settings { redis, http, .. } = &self.settings;
        let files = [
            (
                ("redis.client_certificate", redis.client_certificate.is_some()),
                ("redis.client_key", redis.client_key.is_some()),
            ),
            (
                ("http.tls_certificate", http.tls_certificate.is_some()),
                ("http.tls_key", http.tls_key.is_some()),
            ),
        ];
        for ((one, is_one_there), (other, is_other_there)) in files {
            let (lonely, missing) = match (is_one_there, is_other_there) {
                (true, false) => (one, other),
                (false, true) => (other, one),
                _ => continue,
            };
            self.complain_of(lonely, Problem::HalfAPair { lonely, missing });
        }
        if self.settings.http.client_ca.is_some() && self.settings.http.tls_certificate.is_none() {
            let (lonely, missing) = ("http.client_ca", "http.tls_certificate");
            self.complain_of(lonely, Problem::HalfAPair { lonely, missing });
        }
    }

    fn complain_of(&mut self, field: &str, problem: Problem) {
        if let Some(origin) = self.origins.get(field) {
            self.errors.push((origin.clone(), problem));
        }
    }

    fn warn_of_password(&mut self, text: &str) {
        if let (Place::Server(target), Some(Origin::File(span))) =
            (&self.settings.store, self.origins.get("store"))
            && target.has_login()
        {
            let line = line_number(text.get(..span.start).unwrap_or_default());
            self.settings.warnings.push(Warning::PasswordInFile { line });
        }
    }
}

/// Whether a variable is called like one of a section, and is none.
fn is_unknown(variable: &str) -> bool {
    let mut sections = SECTIONS.iter().map(|section| section.name).chain([NAMESPACES]);
    let is_of = |section: &str| {
        let prefix = format!("INVAL_{}_", section.to_ascii_uppercase());
        !section.is_empty() && variable.starts_with(&prefix)
    };
    sections.any(is_of)
        && !OTHER_VARIABLES.contains(&variable)
        && FIELDS.iter().all(|field| field.variable() != variable)
}

#[cfg(test)]
mod tests;
