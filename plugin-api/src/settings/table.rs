//! Reading a table and a choice: what `#[derive(Settings)]` calls.

use super::shape::{Choice, Field};
use super::types::mismatch;
use super::{Setting, Shape};
use crate::value::{Kind, Value};

/// A table of settings that is being read field by field; all problems are reported.
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// use exeunt_api::settings::{Setting, Shape, Table};
///
/// struct Pair {
///     left: u16,
///     right: u16,
/// }
///
/// fn read(value: Value<'_>, fields: &'static [exeunt_api::settings::Field]) -> Option<Pair> {
///     let mut table = Table::open(value, fields)?;
///     let (left, right) = (table.required("left"), table.or("right", || 1));
///     table.close()?;
///     Some(Pair { left: left?, right: right? })
/// }
/// ```
#[derive(Debug)]
pub struct Table<'a> {
    value: Value<'a>,
    fields: &'static [Field],
    /// Known names that an unknown one was probably meant to be.
    misspelt: Vec<&'static str>,
    good: bool,
}

impl<'a> Table<'a> {
    /// Begins: the value must be a table, and its names among the fields. \[init\]
    #[must_use]
    pub fn open(value: Value<'a>, fields: &'static [Field]) -> Option<Self> {
        if value.kind() != Kind::Table {
            return mismatch(value, "a table", None);
        }
        let mut table = Self { value, fields, misspelt: Vec::new(), good: true };
        for (name, entry) in value.entries() {
            if !fields.iter().any(|field| field.name == name) {
                table.unknown(name, entry);
            }
        }
        Some(table)
    }

    fn unknown(&mut self, name: &str, entry: Value<'_>) {
        let known: Vec<&'static str> = self.fields.iter().map(|field| field.name).collect();
        let hint = match nearest(name, &known) {
            Some(near) => {
                self.misspelt.push(near);
                format!("did you mean `{near}`?")
            }
            None if known.is_empty() => "there are no settings here".to_owned(),
            None => format!("the settings are {}", list(&known)),
        };
        self.good = false;
        entry.problem::<()>(&format!("unknown setting `{name}`"), Some(&hint));
    }

    /// A field that must be written (unless its type says otherwise). \[init\]
    pub fn required<T: Setting>(&mut self, name: &str) -> Option<T> {
        match self.value.get(name) {
            Some(value) => self.checked(T::read(value)),
            None => T::absent().or_else(|| self.missing(name)),
        }
    }

    /// A field with a default. \[init\]
    pub fn or<T: Setting>(&mut self, name: &str, default: impl FnOnce() -> T) -> Option<T> {
        match self.value.get(name) {
            Some(value) => self.checked(T::read(value)),
            None => Some(default()),
        }
    }

    fn missing<T>(&mut self, name: &str) -> Option<T> {
        self.good = false;
        // The misspelt name is the better place to say it.
        if !self.misspelt.contains(&name) {
            let doc = self.fields.iter().find(|field| field.name == name).map(|field| field.doc);
            let meaning = doc.and_then(|doc| doc.lines().next()).filter(|line| !line.is_empty());
            let hint = meaning.map(|meaning| format!("`{name}`: {meaning}"));
            self.value.problem::<()>(&format!("the setting `{name}` is missing"), hint.as_deref());
        }
        None
    }

    fn checked<T>(&mut self, read: Option<T>) -> Option<T> {
        self.good &= read.is_some();
        read
    }

    /// Ends: `None` if anything was wrong. \[init\]
    #[must_use]
    pub fn close(self) -> Option<()> {
        self.good.then_some(())
    }
}

/// The index of the choice that the value names; a problem is reported. \[init\]
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// use exeunt_api::settings::{Choice, choice};
///
/// fn is_loud(value: Value<'_>) -> Option<bool> {
///     const CHOICES: &[Choice] =
///         &[Choice { name: "loud", doc: "" }, Choice { name: "quiet", doc: "" }];
///     Some(choice(value, CHOICES)? == 0)
/// }
/// ```
#[must_use]
pub fn choice(value: Value<'_>, choices: &'static [Choice]) -> Option<usize> {
    let names: Vec<&'static str> = choices.iter().map(|choice| choice.name).collect();
    let hint = format!("one of {}", list(&names));
    let Some(text) = value.as_str() else {
        return mismatch(value, "text", Some(&hint));
    };
    let found = names.iter().position(|name| *name == text);
    found.or_else(|| {
        let near = nearest(text, &names).map(|near| format!("did you mean `{near}`?"));
        value.problem(&format!("`{text}` is not possible here"), Some(&near.unwrap_or(hint)))
    })
}

/// The known name that is most like `name`, if one is like it at all.
fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let distance = |other: &str| strsim::damerau_levenshtein(&name.to_lowercase(), other);
    let near = known.iter().copied().min_by_key(|other| distance(other))?;
    (distance(near) <= 1 + near.len() / 4).then_some(near)
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

impl Shape {
    /// The fields of a table; none of anything else.
    #[must_use]
    pub const fn fields(&self) -> &'static [Field] {
        match self {
            Self::Table(fields) => fields,
            _ => &[],
        }
    }

    /// The choices; none of anything else.
    #[must_use]
    pub const fn choices(&self) -> &'static [Choice] {
        match self {
            Self::Choice(choices) => choices,
            _ => &[],
        }
    }
}
