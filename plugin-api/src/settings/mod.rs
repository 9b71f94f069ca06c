//! Settings: how a module reads its part of `modules.toml`, and how it describes it at compile time.
//!
//! `#[derive(Settings)]` writes everything here for a struct; a type of a module's own becomes a setting
//! by [`Setting`].

mod duration;
mod schema;
mod shape;
mod table;
#[cfg(test)]
mod tests;
mod types;

use crate::value::Value;

pub use shape::{Choice, Field, Shape};
pub use table::{Table, choice};

/// A type that can be read from a value of `modules.toml`.
///
/// Those of the SDK: `bool`, whole numbers (range-checked), `f64`, `String`, `PathBuf`, `Duration` (text
/// with units, `"90s"`), `Option`, `Vec`, `BTreeMap<String, _>`, and what derives `Settings`: structs
/// with named fields, and enums of unit variants, whose names are written in kebab-case.
///
/// ```
/// use exeunt_api::prelude::*;
/// use exeunt_api::settings::{Setting, Shape};
///
/// /// An address range, `192.0.2.0/24`.
/// struct Range(String);
///
/// impl Setting for Range {
///     const SHAPE: Shape = Shape::Text;
///
///     fn read(value: Value<'_>) -> Option<Self> {
///         let text = String::read(value)?;
///         if text.contains('/') {
///             return Some(Self(text));
///         }
///         value.problem("an address range has a `/`", Some("192.0.2.0/24"))
///     }
/// }
/// ```
pub trait Setting: Sized {
    /// How it is written in `modules.toml`.
    const SHAPE: Shape;

    /// Its `Default`, as JSON, for a field with `#[settings(default)]`.
    const DEFAULT: &'static str = "null";

    /// Whether it may be left out.
    const OPTIONAL: bool = false;

    /// Reads it. \[init\] On `None` every problem has been reported with [`Value::problem`].
    fn read(value: Value<'_>) -> Option<Self>;

    /// What it is if it is not written; `None` if it must be.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

/// The settings of a module or a listen: a table. Derive it for a struct with named fields; `()` is
/// for a module without settings.
///
/// * A doc comment is the setting's meaning; `exeunt module info` shows it.
/// * `#[settings(default)]` and `#[settings(default = EXPR)]` make it optional; so does `Option`.
/// * `#[settings(secret)]`: its value is never printed.
/// * Unknown names are refused, with the nearest known one. All problems are shown at once, each with
///   file, line and column.
///
/// ```
/// use exeunt_api::prelude::*;
/// use std::time::Duration;
///
/// /// How busy the greeter may be.
/// #[derive(Settings, Debug, Default)]
/// enum Mood {
///     /// Says hello.
///     #[default]
///     Friendly,
///     /// Says nothing at all.
///     VeryQuiet,
/// }
///
/// #[derive(Settings)]
/// struct Config {
///     /// The first line.
///     greeting: String,
///     /// `friendly` or `very-quiet`.
///     #[settings(default)]
///     mood: Mood,
///     /// How long to wait for an answer.
///     #[settings(default = Duration::from_secs(90))]
///     patience: Duration,
///     /// The password of the guest book.
///     #[settings(secret)]
///     password: Option<String>,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the settings of a module",
    note = "derive it: `#[derive(Settings)] struct Config {{ .. }}`; without settings it is `()`"
)]
pub trait Settings: Setting {}

impl Settings for () {}

impl Setting for () {
    const SHAPE: Shape = Shape::Table(&[]);

    fn read(value: Value<'_>) -> Option<Self> {
        Table::open(value, &[])?.close()
    }
}

impl Value<'_> {
    /// Reports a problem at this value of the settings: what is wrong, and what to do about it. All
    /// problems are shown with file, line and column; init then fails. Returns `None`, for
    /// [`Setting::read`]. \[init\]
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(value: Value<'_>) -> Option<u16> {
    /// value.problem("port 0 cannot be connected to", Some("leave it out to use 21"))
    /// # }
    /// ```
    pub fn problem<T>(self, problem: &str, hint: Option<&str>) -> Option<T> {
        self.held().fail_at(problem, hint);
        None
    }
}
