//! What settings look like, known at compile time.

/// How a setting is written in `modules.toml`. New ones may be added.
///
/// ```
/// use exeunt_api::settings::{Setting, Shape};
///
/// assert!(matches!(<Vec<bool>>::SHAPE, Shape::List(Shape::Bool)));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// A whole number between the two, both included.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A number.
    Float,
    /// Text.
    Text,
    /// Text that is a path.
    Path,
    /// Text that is a length of time, `"90s"`.
    Duration,
    /// One text of several.
    Choice(&'static [Choice]),
    /// A list of such values.
    List(&'static Shape),
    /// A table with names of the operator's choice and such values.
    Map(&'static Shape),
    /// A table with these fields.
    Table(&'static [Field]),
}

/// A field of a table of settings.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub shape: &'static Shape,
    /// Whether it must be written.
    pub required: bool,
    /// What it is if it is not written, as JSON; `null` if that cannot be said at compile time.
    pub default: &'static str,
    /// Whether its value must never be printed.
    pub secret: bool,
    /// Its meaning, from the doc comment.
    pub doc: &'static str,
}

/// One text of [`Shape::Choice`].
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// The text.
    pub name: &'static str,
    /// Its meaning, from the doc comment.
    pub doc: &'static str,
}
