//! A field: its name, what it is for, and how it is read into the settings and shown.

use super::value::{Input, Wrong};

/// A field of `S`, which is all settings or those of one namespace.
pub(super) struct Field<S> {
    /// The path in the file, such as `http.listen`.
    pub(super) name: &'static str,
    /// What it is for, in a sentence without a stop.
    pub(super) help: &'static str,
    /// The range it must be in, if there is one.
    pub(super) range: Option<fn() -> String>,
    /// A value as the file writes it, for a field that has no default.
    pub(super) example: Option<&'static str>,
    pub(super) set: fn(&mut S, Input<'_>) -> Result<(), Wrong>,
    /// The value as the file writes it; `None` if by leaving the field out.
    pub(super) show: fn(&S) -> Option<String>,
    pub(super) differs: fn(&S, &S) -> bool,
}

impl<S> Field<S> {
    /// The section it stands in, empty for the file's beginning, and its name there.
    pub(super) fn place(&self) -> (&'static str, &'static str) {
        self.name.rsplit_once('.').unwrap_or(("", self.name))
    }

    /// The variable that sets it, if it is one of all settings.
    pub(super) fn variable(&self) -> String {
        format!("INVAL_{}", self.name.to_ascii_uppercase().replace('.', "_"))
    }
}

/// Fields, each as `"name" => where.it.is, "help";` with perhaps `[range]` or `{example}` behind the place.
macro_rules! fields {
    ($($name:literal => $($path:ident).+ $([$range:expr])? $({$example:literal})?, $help:literal;)+) => {
        &[$(Field {
            name: $name,
            help: $help,
            range: fields!(@or_none $(|| describe(&$range))?),
            example: fields!(@or_none $($example)?),
            set: |settings, input| {
                let value = Value::read(input)?;
                $(let value = within(value, &$range, || describe(&$range))?;)?
                settings.$($path).+ = value;
                Ok(())
            },
            show: |settings| settings.$($path).+.show(),
            differs: |ours, theirs| ours.$($path).+ != theirs.$($path).+,
        }),+]
    };
    (@or_none $value:expr) => { Some($value) };
    (@or_none) => { None };
}

pub(super) use fields;
