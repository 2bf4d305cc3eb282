//! The page docs/configuration.md, made from the table of fields, and the test that it is up to date.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use super::field::Field;
use super::fields::{
    FIELDS, GRANTS, NAMESPACE_FIELDS, NAMESPACE_SECTIONS, ROLES, ROLES_HELP, SECTIONS,
};
use super::namespaces::Draft;
use super::settings::Settings;

const INTRO: &str = "\
# Configuration

`inval serve --config FILE` reads a file of settings. `inval config example` prints one with every field and its default, `inval
config check [FILE]` says what a file asks for, or what is wrong with it and where. Nothing is needed: an empty file is valid.

```toml
store = \"redis://127.0.0.1:6379\"
store_credentials = \"env\"

[namespaces.sessions]
strategy = \"lru\"
max_bytes = \"256 MiB\"
ttl = \"10m\"
```

- A duration is whole numbers with units, from large to small: `250ms`, `90s`, `1h30m`; units are `d`, `h`, `m`, `s`, `ms` and
  `us`. A size has a unit of `kB`, `MB`, `GB`, `TB` (powers of 1000) or `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024), or is a number of
  bytes.
- A variable of the environment wins over the file. One that is empty counts as not set; one that begins like those of a
  section and is none of them is an error. Namespaces are set in the file alone.
- Of two fields where one bounds the other, one that is not set is lowered to what the other asks for: with `max_lag =
  \"200ms\"` alone, `max_interval` is `100ms`, half of it. Two that are set and contradict each other are an error.
- Passwords do not belong in the file. A URL that holds one works, with a warning. Errors show neither URLs nor
  credentials.

This page is made from the program's table of fields.
";

fn page() -> String {
    let mut page = INTRO.to_owned();
    let settings = Settings::default();
    for section in &SECTIONS {
        let name = section.name;
        let title =
            if name.is_empty() { "Top of the file".to_owned() } else { format!("`[{name}]`") };
        write!(page, "\n## {title}\n\n{}.\n\n", section.help).unwrap();
        page += "| field | variable | default | range | |\n| --- | --- | --- | --- | --- |\n";
        for field in FIELDS.iter().filter(|field| field.place().0 == name) {
            let default = (field.show)(&settings).map(|default| format!("`{default}`"));
            page += &row(field, &[&format!("`{}`", field.variable()), &or_none(default)]);
        }
    }
    let (grants, example) = GRANTS;
    write!(page, "\n## `[{ROLES}.NAME]`\n\n{ROLES_HELP}.\n\n").unwrap();
    write!(page, "| field | example |\n| --- | --- |\n| `{grants}` | `{example}` |\n").unwrap();
    let draft = Draft::new(settings.pacing);
    for section in &NAMESPACE_SECTIONS {
        let (name, help) = (section.name, section.help);
        let inner = if name.is_empty() { "" } else { "." };
        write!(page, "\n## `[namespaces.NAME{inner}{name}]`\n\n{help}.\n\n").unwrap();
        page += "| field | default | range | |\n| --- | --- | --- | --- |\n";
        for field in NAMESPACE_FIELDS.iter().filter(|field| field.place().0 == name) {
            let is_inherited = FIELDS.iter().any(|other| other.name == field.name);
            let default = (field.show)(&draft).map(|default| match is_inherited {
                true => "that of `[manager]`".to_owned(),
                false => format!("`{default}`"),
            });
            page += &row(field, &[&or_none(default)]);
        }
    }
    page
}

fn or_none(default: Option<String>) -> String {
    default.unwrap_or_else(|| "none".to_owned())
}

fn row<S>(field: &Field<S>, cells: &[&str]) -> String {
    let (name, help) = (field.place().1, field.help);
    let range = field.range.map_or_else(String::new, |range| range());
    format!("| `{name}` | {} | {range} | {help} |\n", cells.join(" | "))
}

#[test]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    if env::var_os("WRITE_DOCS").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page(),
        "write it anew: WRITE_DOCS=1 cargo test -p inval-cli --bin inval page"
    );
}

#[test]
fn its_example_is_valid() {
    let toml = INTRO.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let settings = Settings::parse("page", toml.unwrap(), &Default::default());
    assert_eq!(settings.unwrap().namespaces.len(), 1);
}
