//! A file with every field, what it is for and its default.

use std::fmt::{self, Write};

use super::field::Field;
use super::fields::{
    FIELDS, GRANTS, NAMESPACE_FIELDS, NAMESPACE_SECTIONS, NAMESPACES, ROLES, ROLES_HELP, SECTIONS,
    Section,
};
use super::namespaces::Draft;
use super::settings::Settings;

const WIDTH: usize = 100;
const NAME: &str = "sessions";
const ROLE: &str = "shop";
const HEAD: &str = "\
The settings of inval. Every field stands here with its default; a line that begins with # and no space
shows one that has none, or the settings of a role or a namespace. A field outside of these is also set by a
variable of the environment, which wins: INVAL_STORE, INVAL_HTTP_LISTEN and so on.";

/// Says what an empty file says, and where everything goes.
pub(super) struct Example;

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        comment(f, HEAD)?;
        let settings = Settings::default();
        for section in &SECTIONS {
            head(f, section, (!section.name.is_empty()).then(|| format!("[{}]", section.name)))?;
            section_fields(f, section, FIELDS, &settings)?;
        }
        let roles = Section { name: ROLES, help: ROLES_HELP };
        head(f, &roles, Some(format!("#[{ROLES}.{ROLE}]")))?;
        writeln!(f, "#{} = {}", GRANTS.0, GRANTS.1)?;
        for section in &NAMESPACE_SECTIONS {
            let inner = if section.name.is_empty() { "" } else { "." };
            let table = format!("#[{NAMESPACES}.{NAME}{inner}{}]", section.name);
            head(f, section, Some(table))?;
            let mut fields = String::new();
            section_fields(&mut fields, section, NAMESPACE_FIELDS, &Draft::new(settings.pacing))?;
            for line in fields.lines() {
                writeln!(f, "{}{line}", if line.starts_with('#') { "" } else { "#" })?;
            }
        }
        Ok(())
    }
}

fn head(out: &mut impl Write, section: &Section, table: Option<String>) -> fmt::Result {
    writeln!(out)?;
    comment(out, &format!("{}.", section.help))?;
    table.map_or(Ok(()), |table| writeln!(out, "{table}"))
}

fn section_fields<S>(
    out: &mut impl Write,
    section: &Section,
    fields: &[Field<S>],
    settings: &S,
) -> fmt::Result {
    for field in fields.iter().filter(|field| field.place().0 == section.name) {
        let range = field.range.map_or_else(String::new, |range| format!(" ({})", range()));
        comment(out, &format!("{}{range}.", field.help))?;
        let (name, default) = (field.place().1, (field.show)(settings));
        match (default, field.example) {
            (Some(default), _) => writeln!(out, "{name} = {default}")?,
            (None, example) => writeln!(out, "#{name} = {}", example.unwrap_or_default())?,
        }
    }
    Ok(())
}

/// Writes `text` behind `# `, in lines that are not too long.
fn comment(out: &mut impl Write, text: &str) -> fmt::Result {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            writeln!(out, "{line}")?;
            line.truncate(1);
        }
        write!(line, " {word}")?;
    }
    writeln!(out, "{line}")
}

#[cfg(test)]
mod tests {
    use super::super::Variables;
    use super::*;

    fn parse(text: &str) -> Settings {
        let parsed = Settings::parse("example", text, &Variables::default());
        parsed.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The example with all that is commented out.
    fn uncommented() -> String {
        let uncomment = |line: &str| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        };
        Example.to_string().lines().map(uncomment).collect()
    }

    #[test]
    fn it_says_what_an_empty_file_says() {
        assert_eq!(parse(&Example.to_string()), Settings::default());
        assert_eq!(parse(""), Settings::default());
    }

    #[test]
    fn what_it_shows_of_fields_without_a_default_is_valid() {
        let settings = parse(&uncommented());
        let namespace = settings.namespaces[NAME];
        assert_eq!(namespace.pacing, Settings::default().pacing);
        assert_eq!(namespace.config.max_entries(), Some(100_000));
        assert!(settings.connect_options().client_certificate.is_some());
        assert_eq!(settings.access.roles[ROLE].grants().len(), 2);
    }

    #[test]
    fn it_shows_every_field_once() {
        let text = uncommented();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let fields = lines.iter().filter(|line| line.contains(" = "));
        assert_eq!(fields.count(), FIELDS.len() + NAMESPACE_FIELDS.len() + 1);
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
    }
}
