//! The types of the language and of std that are settings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::{Setting, Shape, duration};
use crate::value::{Kind, Value};

/// A kind in words, with its article.
pub(super) fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "nothing",
        Kind::Bool => "true or false",
        Kind::Int => "a whole number",
        Kind::Float => "a floating point number",
        Kind::Str => "text",
        Kind::Bytes => "bytes",
        Kind::List => "a list",
        Kind::Table => "a table",
    }
}

/// Reports that another kind of value is needed.
pub(super) fn mismatch<T>(value: Value<'_>, needed: &str, hint: Option<&str>) -> Option<T> {
    value.problem(&format!("{needed} is needed, this is {}", words(value.kind())), hint)
}

impl Setting for bool {
    const SHAPE: Shape = Shape::Bool;
    const DEFAULT: &'static str = "false";

    fn read(value: Value<'_>) -> Option<Self> {
        let hint = matches!(value.as_str(), Some("true" | "false")).then_some("without quotes");
        value.as_bool().or_else(|| mismatch(value, "true or false", hint))
    }
}

macro_rules! whole_numbers {
    ($($number:ty: $min:expr, $max:expr;)*) => {$(
        impl Setting for $number {
            const SHAPE: Shape = Shape::Integer { min: $min, max: $max };
            const DEFAULT: &'static str = "0";

            fn read(value: Value<'_>) -> Option<Self> {
                let Some(number) = value.as_int() else {
                    let quoted = value.as_str().is_some_and(|text| text.parse::<i64>().is_ok());
                    return mismatch(value, "a whole number", quoted.then_some("without quotes"));
                };
                number.try_into().ok().or_else(|| out_of_range(value, number, $min, $max))
            }
        }
    )*};
}

whole_numbers! {
    i8: i8::MIN as i64, i8::MAX as i64;
    i16: i16::MIN as i64, i16::MAX as i64;
    i32: i32::MIN as i64, i32::MAX as i64;
    i64: i64::MIN, i64::MAX;
    u8: 0, u8::MAX as i64;
    u16: 0, u16::MAX as i64;
    u32: 0, u32::MAX as i64;
    u64: 0, i64::MAX;
}

fn out_of_range<T>(value: Value<'_>, number: i64, min: i64, max: i64) -> Option<T> {
    let limit = if number < min { "least" } else { "most" };
    let hint = format!("from {min} to {max}");
    let bound = if number < min { min } else { max };
    value.problem(&format!("{number} is out of range: {bound} at {limit}"), Some(&hint))
}

impl Setting for f64 {
    const SHAPE: Shape = Shape::Float;
    const DEFAULT: &'static str = "0.0";

    fn read(value: Value<'_>) -> Option<Self> {
        value.as_float().or_else(|| mismatch(value, "a number", None))
    }
}

impl Setting for String {
    const SHAPE: Shape = Shape::Text;
    const DEFAULT: &'static str = "\"\"";

    fn read(value: Value<'_>) -> Option<Self> {
        let text = value.as_str().map(str::to_owned);
        text.or_else(|| mismatch(value, "text", Some("in double quotes")))
    }
}

impl Setting for PathBuf {
    const SHAPE: Shape = Shape::Path;
    const DEFAULT: &'static str = "\"\"";

    fn read(value: Value<'_>) -> Option<Self> {
        let path = value.as_str().map(Self::from);
        path.or_else(|| mismatch(value, "a path", Some("text in double quotes")))
    }
}

impl Setting for Duration {
    const SHAPE: Shape = Shape::Duration;
    const DEFAULT: &'static str = "\"0s\"";

    fn read(value: Value<'_>) -> Option<Self> {
        const HINT: Option<&str> = Some("text with ms, s, m, h or d, such as \"90s\" or \"1h30m\"");
        let Some(text) = value.as_str() else {
            return mismatch(value, "a length of time", HINT);
        };
        let problem = || value.problem(&format!("`{text}` is not a length of time"), HINT);
        duration::parse(text).or_else(problem)
    }
}

impl<T: Setting> Setting for Option<T> {
    const SHAPE: Shape = T::SHAPE;
    const OPTIONAL: bool = true;

    fn read(value: Value<'_>) -> Option<Self> {
        T::read(value).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Setting> Setting for Vec<T> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);
    const DEFAULT: &'static str = "[]";

    fn read(value: Value<'_>) -> Option<Self> {
        if value.kind() != Kind::List {
            return mismatch(value, "a list", Some("in square brackets"));
        }
        // Every entry is read, so that the problems of all are shown.
        let entries: Vec<Option<T>> = value.iter().map(T::read).collect();
        entries.into_iter().collect()
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    const SHAPE: Shape = Shape::Map(&T::SHAPE);
    const DEFAULT: &'static str = "{}";

    fn read(value: Value<'_>) -> Option<Self> {
        if value.kind() != Kind::Table {
            return mismatch(value, "a table", None);
        }
        let entries: Vec<_> =
            value.entries().map(|(name, entry)| Some((name.to_owned(), T::read(entry)?))).collect();
        entries.into_iter().collect()
    }
}
