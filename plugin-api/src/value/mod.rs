//! The value model: one kind of value for settings, payloads and arguments.

mod de;
mod ser;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::bridge::Held;

pub use crate::abi::Kind;

/// A value of the host: nothing, true or false, a whole number (64 bits with sign), a floating point
/// number (64 bits), text, bytes, a list, or a table of values by name in order. It belongs to the host
/// and is valid in the callback that received it. \[every callback\]
///
/// Read it whole with [`read`](Self::read), or piece by piece.
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// fn bytes_of(payload: Value<'_>) -> i64 {
///     payload.get("bytes").and_then(Value::as_int).unwrap_or_default()
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Value<'a>(Held<'a>);

impl<'a> Value<'a> {
    pub(crate) fn new(held: Held<'a>) -> Self {
        Self(held)
    }

    pub(crate) fn held(self) -> Held<'a> {
        self.0
    }

    /// What kind of value it is.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(value: Value<'_>) {
    /// let is_text = value.kind() == Kind::Str;
    /// # }
    /// ```
    #[must_use]
    pub fn kind(self) -> Kind {
        self.0.kind()
    }

    /// Whether it is true; `None` if it is not a bool.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(value: Value<'_>) {
    /// let on = value.as_bool() == Some(true);
    /// # }
    /// ```
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        self.0.as_bool()
    }

    /// The whole number; `None` if it is not one.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(value: Value<'_>) {
    /// let number = value.as_int().unwrap_or(21);
    /// # }
    /// ```
    #[must_use]
    pub fn as_int(self) -> Option<i64> {
        self.0.as_int()
    }

    /// The number, whole or not; `None` if it is not one.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(value: Value<'_>) {
    /// let share = value.as_float().unwrap_or(0.5);
    /// # }
    /// ```
    #[must_use]
    pub fn as_float(self) -> Option<f64> {
        self.0.as_float()
    }

    /// The text; `None` if it is not text.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(value: Value<'_>) {
    /// let name = value.as_str().unwrap_or_default();
    /// # }
    /// ```
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        self.0.as_str()
    }

    /// The bytes; `None` if it is not bytes.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(value: Value<'_>) {
    /// let length = value.as_bytes().map_or(0, <[u8]>::len);
    /// # }
    /// ```
    #[must_use]
    pub fn as_bytes(self) -> Option<&'a [u8]> {
        self.0.as_bytes()
    }

    /// The values of a list or table in order; none if it is neither.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(value: Value<'_>) {
    /// let sum: i64 = value.iter().filter_map(Value::as_int).sum();
    /// # }
    /// ```
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> {
        let length = self.0.len().unwrap_or_default();
        (0..length).map_while(move |index| self.0.at(index).map(Self))
    }

    /// The names and values of a table in order; none if it is not a table.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(value: Value<'_>) {
    /// let names: Vec<&str> = value.entries().map(|(name, _)| name).collect();
    /// # }
    /// ```
    pub fn entries(self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let length = self.0.len().unwrap_or_default();
        (0..length).map_while(move |index| Some((self.0.key(index)?, Self(self.0.at(index)?))))
    }

    /// The value with that name in a table; `None` if there is none or it is not a table.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(value: Value<'_>) {
    /// let path = value.get("path").and_then(Value::as_str);
    /// # }
    /// ```
    #[must_use]
    pub fn get(self, name: &str) -> Option<Self> {
        self.0.get(name).map(Self)
    }

    /// Reads it whole, through serde: structs from tables, sequences and tuples from lists, enums as
    /// text or as a table with one entry, `Option` with nothing for `None`.
    ///
    /// # Errors
    ///
    /// The value is of another form.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// #[derive(serde::Deserialize)]
    /// struct Uploaded<'a> {
    ///     path: &'a str,
    ///     bytes: u64,
    /// }
    /// # fn example(value: Value<'_>) -> Result<()> {
    /// let uploaded: Uploaded<'_> = value.read()?;
    /// # Ok(()) }
    /// ```
    pub fn read<T: Deserialize<'a>>(self) -> Result<T> {
        T::deserialize(self)
    }

    /// A new value of the host.
    pub(crate) fn build(what: &impl Serialize) -> Result<Self> {
        what.serialize(ser::Builder::new())
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Kind::Null => f.write_str("null"),
            Kind::Bool => self.as_bool().unwrap_or_default().fmt(f),
            Kind::Int => self.as_int().unwrap_or_default().fmt(f),
            Kind::Float => self.as_float().unwrap_or_default().fmt(f),
            Kind::Str => self.as_str().unwrap_or_default().fmt(f),
            Kind::Bytes => self.as_bytes().unwrap_or_default().fmt(f),
            Kind::List => f.debug_list().entries(self.iter()).finish(),
            Kind::Table => f.debug_map().entries(self.entries()).finish(),
        }
    }
}
