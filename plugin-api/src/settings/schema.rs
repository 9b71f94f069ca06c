//! The schema of settings as JSON, written at compile time into the module's note.
//!
//! `{"fields":[{"name","type","required","default","secret","doc"}, …]}`; `type` is one of `bool integer
//! float text path duration choice list map table`, followed by what belongs to it: `min` and `max`,
//! `choices`, `of`, `fields`.

use super::shape::{Choice, Field, Shape};

impl Shape {
    /// The length of the schema.
    #[must_use]
    pub const fn schema_len(&self) -> usize {
        Json::<0>::of(self).length
    }

    /// The schema, `N` bytes of JSON, where `N` is [`schema_len`](Self::schema_len).
    #[must_use]
    pub const fn schema<const N: usize>(&self) -> [u8; N] {
        let json = Json::<N>::of(self);
        assert!(json.length == N, "N is `schema_len`");
        json.text
    }
}

/// The text that is being written; beyond `N` bytes it is only counted.
struct Json<const N: usize> {
    text: [u8; N],
    length: usize,
}

impl<const N: usize> Json<N> {
    const fn of(shape: &Shape) -> Self {
        let mut json = Self { text: [0; N], length: 0 };
        json.raw("{");
        match shape {
            Shape::Table(fields) => json.fields(fields),
            other => json.shape(other),
        }
        json.raw("}");
        json
    }

    const fn byte(&mut self, byte: u8) {
        if self.length < N {
            self.text[self.length] = byte;
        }
        self.length += 1;
    }

    const fn raw(&mut self, text: &str) {
        let (bytes, mut i) = (text.as_bytes(), 0);
        while i < bytes.len() {
            self.byte(bytes[i]);
            i += 1;
        }
    }

    /// Text in quotes. A control character becomes a space (a newline its escape).
    const fn quoted(&mut self, text: &str) {
        let (bytes, mut i) = (text.as_bytes(), 0);
        self.byte(b'"');
        while i < bytes.len() {
            match bytes[i] {
                b'\n' => self.raw("\\n"),
                byte @ (b'"' | b'\\') => {
                    self.byte(b'\\');
                    self.byte(byte);
                }
                0..=31 => self.byte(b' '),
                byte => self.byte(byte),
            }
            i += 1;
        }
        self.byte(b'"');
    }

    const fn number(&mut self, number: i64) {
        if number < 0 {
            self.byte(b'-');
        }
        self.digits(number.unsigned_abs());
    }

    const fn digits(&mut self, number: u64) {
        if number >= 10 {
            self.digits(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    const fn flag(&mut self, on: bool) {
        self.raw(if on { "true" } else { "false" });
    }

    /// The members of an object that say what is written.
    const fn shape(&mut self, shape: &Shape) {
        self.raw("\"type\":");
        match shape {
            Shape::Bool => self.quoted("bool"),
            Shape::Integer { min, max } => {
                self.raw("\"integer\",\"min\":");
                self.number(*min);
                self.raw(",\"max\":");
                self.number(*max);
            }
            Shape::Float => self.quoted("float"),
            Shape::Text => self.quoted("text"),
            Shape::Path => self.quoted("path"),
            Shape::Duration => self.quoted("duration"),
            Shape::Choice(choices) => {
                self.raw("\"choice\",\"choices\":[");
                self.choices(choices);
                self.raw("]");
            }
            Shape::List(of) => self.container("\"list\"", of),
            Shape::Map(of) => self.container("\"map\"", of),
            Shape::Table(fields) => {
                self.raw("\"table\",");
                self.fields(fields);
            }
        }
    }

    const fn container(&mut self, kind: &str, of: &Shape) {
        self.raw(kind);
        self.raw(",\"of\":{");
        self.shape(of);
        self.raw("}");
    }

    const fn choices(&mut self, choices: &[Choice]) {
        let mut i = 0;
        while i < choices.len() {
            self.raw(if i == 0 { "{\"name\":" } else { ",{\"name\":" });
            self.quoted(choices[i].name);
            self.raw(",\"doc\":");
            self.quoted(choices[i].doc);
            self.raw("}");
            i += 1;
        }
    }

    const fn fields(&mut self, fields: &[Field]) {
        self.raw("\"fields\":[");
        let mut i = 0;
        while i < fields.len() {
            self.raw(if i == 0 { "{" } else { ",{" });
            self.field(&fields[i]);
            self.raw("}");
            i += 1;
        }
        self.raw("]");
    }

    const fn field(&mut self, field: &Field) {
        self.raw("\"name\":");
        self.quoted(field.name);
        self.raw(",");
        self.shape(field.shape);
        self.raw(",\"required\":");
        self.flag(field.required);
        self.raw(",\"default\":");
        self.raw(field.default);
        self.raw(",\"secret\":");
        self.flag(field.secret);
        self.raw(",\"doc\":");
        self.quoted(field.doc);
    }
}
