//! How values look: text that cannot steer a terminal, lengths of time, columns, JSON. What is shown
//! is decided by the commands.

use std::fmt::Write as _;

use serde::Serialize;

/// Whether `c` could steer a terminal or reorder what stands beside it.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` with escapes such as `\n` and `\u{1b}` for what would steer a terminal.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    escaped
}

/// `text`, or `-` where there is none.
pub(super) fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).map_or_else(|| "-".to_owned(), escape)
}

/// A line of JSON as it may be printed: within strings JSON may hold control characters beyond
/// U+007E as they are, a terminal should not.
pub(super) fn json_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len() + 1);
    for c in json.trim_end().chars() {
        if steers(c) {
            // All of them lie in the first plane, so that four digits are enough.
            let _ = write!(line, "\\u{:04x}", u32::from(c));
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

/// A value as a line of JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    // The values of this room have string keys and no own serialisation: nothing can fail.
    serde_json::to_string(value).map_or_else(|_| String::new(), |json| json_line(&json))
}

/// A length of time: `0.2 ms`, `5.0 s`, `1m30s`, `2h05m`.
pub(super) fn length(ms: f64) -> String {
    // A tenth of a unit less, so that rounding never shows 1000.0 ms or 60.0 s.
    if ms < 999.95 {
        return format!("{ms:.1} ms");
    }
    if ms < 59_950.0 {
        return format!("{:.1} s", ms / 1000.0);
    }
    let seconds = (ms / 1000.0).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

/// `1 session`, `2 sessions`.
pub(super) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Rows in aligned columns, two spaces between them, each line after `indent`.
pub(super) fn columns<const N: usize>(indent: &str, rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let mut shown = String::new();
    for row in rows {
        let mut line = indent.to_owned();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        shown.push_str(line.trim_end());
        shown.push('\n');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(escape("a\u{1b}[2J\nb\u{9b}c\u{202e}é"), "a\\u{1b}[2J\\nb\\u{9b}c\\u{202e}é");
    }

    #[test]
    fn json_stays_the_same_value() {
        let text = "\u{7f}\u{9b}31m\u{2028}é\n";
        let line = json(&text);
        assert_eq!(serde_json::from_str::<String>(&line).expect("JSON"), text);
        assert!(!line.trim_end().contains(steers));
    }

    #[test]
    fn lengths_of_time_are_short() {
        for (ms, text) in [
            (0.2, "0.2 ms"),
            (999.96, "1.0 s"),
            (5_000.0, "5.0 s"),
            (59_960.0, "1m00s"),
            (90_000.0, "1m30s"),
            (7_500_000.0, "2h05m"),
        ] {
            assert_eq!(length(ms), text);
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a".to_owned(), "é".to_owned()], ["bbb".to_owned(), String::new()]];
        assert_eq!(columns(" ", &rows), " a    é\n bbb\n");
    }
}
