//! Words inside a string: lengths of time, sizes and names.

use std::time::Duration;

use super::read::Refusal;

/// What is said of a length of time that is nothing.
pub(super) const ZERO: &str = "must be longer than nothing";

/// The units of a length of time in the order in which they may be written, in milliseconds.
const TIMES: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The units of a size, in bytes.
const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// A length of time: `90s`, `10m`, `1h30m`, `500ms`.
pub(super) fn duration(text: &str, most: Duration) -> Result<Duration, Refusal> {
    let total = milliseconds(text).ok_or_else(|| {
        Refusal::new(
            format!("must be a length of time, not \"{text}\""),
            "write whole numbers with units, the largest first: \"90s\", \"10m\", \"1h30m\" or \
             \"500ms\"",
        )
    })?;
    let length = Duration::from_millis(total);
    if length.is_zero() {
        return Err(Refusal::bare(ZERO));
    }
    if length > most {
        let most = spell(most);
        return Err(Refusal::bare(format!(
            "must not be longer than \"{most}\", but is \"{text}\""
        )));
    }
    Ok(length)
}

/// Nothing unless `text` is numbers with units, each unit at most once, the largest first.
fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut units = TIMES.iter();
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (number, after) = split_number(rest)?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (_, worth) = units.find(|(name, _)| *name == &after[..end])?;
        // A number that does not fit is longer than any limit.
        total = total.saturating_add(number.saturating_mul(*worth));
        rest = &after[end..];
    }
    (!text.is_empty()).then_some(total)
}

/// A length of time in the words of the file.
pub(super) fn spell(length: Duration) -> String {
    let mut left = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let mut words = String::new();
    for (name, worth) in TIMES {
        if left / worth > 0 {
            words.push_str(&format!("{}{name}", left / worth));
        }
        left %= worth;
    }
    words
}

/// A number of bytes: `64MB`, `64MiB`.
pub(super) fn size(text: &str) -> Result<u64, Refusal> {
    let parsed = split_number(text).and_then(|(number, unit)| {
        let (_, worth) = SIZES.iter().find(|(name, _)| *name == unit)?;
        number.checked_mul(*worth)
    });
    parsed.ok_or_else(|| {
        Refusal::new(
            format!("must be a size, not \"{text}\""),
            "write a whole number and B, KB, MB, GB, KiB, MiB or GiB: \"64MB\"",
        )
    })
}

fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let digits = &text[..end];
    let number = if digits.is_empty() { None } else { Some(digits.parse().unwrap_or(u64::MAX)) };
    number.map(|number| (number, &text[end..]))
}

/// Whether `written` is 1 to 32 small letters, digits and characters of `beside`.
pub(super) fn name(written: &str, beside: &[char]) -> Result<(), Refusal> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || beside.contains(&c);
    let right = |name: &str| (1..=32).contains(&name.len()) && name.chars().all(allowed);
    if right(written) {
        return Ok(());
    }
    let others: String = beside.iter().map(|c| format!(" or `{c}`")).collect();
    let what = format!("must be 1 to 32 of a to z, 0 to 9{others}, not \"{written}\"");
    let joint = beside.first().copied().unwrap_or('0');
    let mend = |c: char| if " -_.".contains(c) && !allowed(c) { joint } else { c };
    let better: String = written.trim().to_lowercase().chars().map(mend).collect();
    let hint = right(&better).then(|| format!("write \"{better}\""));
    Err(Refusal { hint, ..Refusal::bare(what) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: Duration = Duration::from_secs(365 * 86_400);

    #[test]
    fn lengths_of_time_are_numbers_with_units() {
        for (text, millis) in [
            ("90s", 90_000),
            ("10m", 600_000),
            ("1h", 3_600_000),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            ("1s5ms", 1_005),
        ] {
            assert_eq!(duration(text, YEAR), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn other_lengths_of_time_are_refused() {
        for text in ["", "s", "90", "1.5h", "30m1h", "1m1m", "1 m", " 1m", "-1s", "1d", "5µs", "²s"]
        {
            let refusal = duration(text, YEAR).expect_err(text);
            assert_eq!(refusal.what, format!("must be a length of time, not \"{text}\""));
        }
    }

    #[test]
    fn a_length_of_time_is_neither_nothing_nor_for_ever() {
        assert_eq!(duration("0s", YEAR).expect_err("zero").what, ZERO);
        for text in ["8761h", "99999999999999999999h"] {
            let refusal = duration(text, YEAR).expect_err(text);
            assert_eq!(
                refusal.what,
                format!("must not be longer than \"8760h\", but is \"{text}\"")
            );
        }
    }

    #[test]
    fn a_length_of_time_is_spelt_as_it_is_written() {
        for text in ["1h30m", "5s", "500ms", "2h1ms"] {
            assert_eq!(spell(duration(text, YEAR).expect(text)), text);
        }
    }

    #[test]
    fn sizes_are_decimal_or_binary() {
        assert_eq!(size("64MB"), Ok(64_000_000));
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("1GiB"), Ok(1 << 30));
        assert_eq!(size("70000B"), Ok(70_000));
    }

    #[test]
    fn other_sizes_are_refused() {
        for text in ["", "64", "MB", "64 MB", "64mb", "1.5MB", "-1MB", "99999999999999999999GB"] {
            let refusal = size(text).expect_err(text);
            assert_eq!(refusal.what, format!("must be a size, not \"{text}\""));
        }
    }

    #[test]
    fn a_wrong_name_gets_a_right_one_where_there_is_one() {
        assert_eq!(name("exit_report", &['_']), Ok(()));
        let refusal = name("Exit-Report", &['_']).expect_err("capitals");
        assert_eq!(refusal.hint.as_deref(), Some("write \"exit_report\""));
        assert_eq!(name("ÿ", &['_']).expect_err("no letter").hint, None);
        assert!(name(&"x".repeat(33), &['_']).is_err());
    }
}
