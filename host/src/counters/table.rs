//! The layout of the table: which counters there are, and their series. Everything is made of atomics
//! and bounded; a session that dies in the middle of adding leaves nothing that others stumble over.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use exeunt_ledger::Text;

const MAGIC: u64 = u64::from_le_bytes(*b"exeuntN\0");
const VERSION: u32 = 1;
/// The most counters that a daemon ever has.
pub(super) const FAMILIES: usize = 128;
/// The most labels of a counter.
pub(crate) const LABELS: usize = 4;
/// The most bytes of a label's value.
const VALUE: usize = 64;
/// The combinations of label values that are counted apart, and one for all others.
const SERIES: usize = 1 + 64;
/// What stands for each label's value in that one.
const OTHER: &str = "other";
/// The bytes of one counter.
pub(super) const FAMILY_SIZE: usize = size_of::<Family>();
/// The bytes of the table.
pub(super) const SIZE: u64 = (size_of::<Directory>() + FAMILIES * FAMILY_SIZE) as u64;

/// The name of a counter and of its labels. Empty: the place is free.
#[repr(C)]
pub(super) struct Name {
    name: Text<96>,
    labels: [Text<32>; LABELS],
}

impl Name {
    pub(super) fn set<'a>(&self, name: &str, labels: impl Iterator<Item = &'a str>) {
        let mut labels = labels.chain(std::iter::repeat(""));
        self.labels.iter().for_each(|label| label.set(labels.next().unwrap_or_default()));
        self.name.set(name);
    }

    fn labels(&self) -> Vec<String> {
        self.labels.iter().map(Text::get).take_while(|label| !label.is_empty()).collect()
    }
}

/// The first pages: which counters there are. Written by zygotes alone.
#[repr(C, align(4096))]
pub(crate) struct Directory {
    magic: AtomicU64,
    version: AtomicU32,
    pub(super) names: [Name; FAMILIES],
}

/// The series of one counter.
#[repr(C, align(4096))]
pub(crate) struct Family {
    series: [Series; SERIES],
}

/// One number.
#[repr(C)]
struct Series {
    /// The hash of the label values; 0 is free.
    key: AtomicU64,
    value: AtomicU64,
    /// Whether the label values are written.
    ready: AtomicU32,
    labels: [Text<VALUE>; LABELS],
}

/// A counter as it was read.
pub(crate) struct Row {
    /// Its name in OpenMetrics, without `_total`.
    pub(crate) name: String,
    /// The names of its labels.
    pub(crate) labels: Vec<String>,
    /// Label values and number of each series.
    pub(crate) series: Vec<(Vec<String>, u64)>,
}

/// Whether a file is a table of this layout.
pub(super) fn check(file: &File) -> io::Result<()> {
    let strange = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    if file.metadata()?.len() != SIZE {
        return Err(strange("the table of counters has another size than this version's"));
    }
    let directory: &[Directory] = crate::sys::map_read_only(file, 0, 1)?;
    let directory = &directory[0];
    if directory.magic.load(Acquire) != MAGIC || directory.version.load(Relaxed) != VERSION {
        return Err(strange("the table of counters has a layout that this version does not know"));
    }
    Ok(())
}

impl Directory {
    /// Makes an empty file a table.
    pub(super) fn begin(&self) {
        self.version.store(VERSION, Relaxed);
        self.magic.store(MAGIC, Release);
    }

    /// The place of a counter from place `first` on: the one that it has, or a free one.
    pub(super) fn place(&self, first: usize, name: &str, labels: &[String]) -> Option<usize> {
        let known = (first..FAMILIES).find(|place| {
            let known = &self.names[*place];
            known.name.get() == name && known.labels() == labels
        });
        known.or_else(|| {
            let free = (first..FAMILIES).find(|place| self.names[*place].name.is_empty())?;
            self.names[free].set(name, labels.iter().map(String::as_str));
            Some(free)
        })
    }

    /// Every counter with its series.
    pub(super) fn read(&self, families: &[Family]) -> Vec<Row> {
        let known = self.names.iter().zip(families).filter(|(name, _)| !name.name.is_empty());
        let row = |(name, family): (&Name, &Family)| {
            let labels = name.labels();
            Row { name: name.name.get(), series: family.read(labels.len()), labels }
        };
        known.map(row).collect()
    }
}

impl Family {
    /// Adds to the series of these label values.
    pub(super) fn add(&self, values: &[&str], amount: u64) {
        self.find(values).value.fetch_add(amount, Relaxed);
    }

    fn find(&self, values: &[&str]) -> &Series {
        let (rest, series) = (&self.series[0], &self.series[1..]);
        if values.iter().all(|value| *value == OTHER) {
            return rest;
        }
        let values: Vec<String> = values.iter().take(LABELS).map(|value| clean(value)).collect();
        let key = key_of(&values);
        let start = (key % series.len() as u64) as usize;
        let from_start = series[start..].iter().chain(&series[..start]);
        let mut candidates = from_start.filter(|series| series.is_or_becomes(key, &values));
        candidates.next().unwrap_or(rest)
    }

    fn read(&self, labels: usize) -> Vec<(Vec<String>, u64)> {
        let rest = self.series[0].value.load(Relaxed);
        let others = self.series[1..].iter().filter(|series| series.ready.load(Acquire) != 0);
        let mut read: Vec<_> = others
            .map(|series| {
                let values: Vec<_> = series.labels[..labels].iter().map(Text::get).collect();
                (values, series.value.load(Relaxed))
            })
            .collect();
        read.sort();
        // A session may have written anything; a series that is there twice would be no metric.
        read.dedup_by(|later, earlier| later.0 == earlier.0);
        read.retain(|(values, _)| !values.iter().all(|value| value == OTHER));
        if labels == 0 || rest > 0 {
            read.push((vec![OTHER.to_owned(); labels], rest));
        }
        read
    }
}

impl Series {
    /// Whether the series is that of these values, or is theirs from now on.
    fn is_or_becomes(&self, key: u64, values: &[String]) -> bool {
        match self.key.compare_exchange(0, key, AcqRel, Acquire) {
            Err(other) if other != key => return false,
            Err(_) if self.ready.load(Acquire) != 0 => return self.holds(values),
            // It is new, or whoever began it has not come to this: the same is written twice at worst.
            _ => {}
        }
        for (label, value) in self.labels.iter().zip(values) {
            label.set(value);
        }
        self.ready.store(1, Release);
        true
    }

    fn holds(&self, values: &[String]) -> bool {
        self.labels.iter().zip(values).all(|(label, value)| label.get() == *value)
    }
}

/// A value as it will be read back: without control characters, cut at a character.
fn clean(value: &str) -> String {
    let printable = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut value: String = value.chars().take(VALUE).map(printable).collect();
    value.truncate(value.floor_char_boundary(VALUE));
    value
}

fn key_of(values: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    values.hash(&mut hasher);
    hasher.finish().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family() -> &'static Family {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(FAMILY_SIZE as u64).expect("its size");
        &crate::sys::map_pages::<Family>(&file, 0, 1).expect("mapped")[0]
    }

    #[test]
    fn values_beyond_the_bound_are_counted_together() {
        let family = family();
        for number in 0..100 {
            family.add(&[&number.to_string()], 1);
        }
        family.add(&["0"], 1);
        family.add(&[OTHER], 1);
        let read = family.read(1);
        assert_eq!(read.len(), SERIES);
        assert!(read.contains(&(vec!["0".to_owned()], 2)));
        assert_eq!(read.last(), Some(&(vec![OTHER.to_owned()], 37)));
    }

    #[test]
    fn values_that_differ_only_after_the_cut_or_in_control_characters_are_the_same() {
        let family = family();
        let long = "ä".repeat(VALUE);
        family.add(&[&long, "a\nb"], 1);
        family.add(&[&format!("{long}x"), "a\rb"], 1);
        assert_eq!(family.read(2), [(vec!["ä".repeat(VALUE / 2), "a\u{fffd}b".to_owned()], 2)]);
    }

    #[test]
    fn a_series_whose_beginner_died_is_finished_by_the_next() {
        let family = family();
        let key = key_of(&["a".to_owned()]);
        let start = (key % (SERIES as u64 - 1)) as usize;
        family.series[1 + start].key.store(key, Relaxed);
        assert_eq!(family.read(1), []);
        family.add(&["a"], 4);
        assert_eq!(family.read(1), [(vec!["a".to_owned()], 4)]);
    }
}
