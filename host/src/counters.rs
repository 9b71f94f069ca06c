//! What must be summed over all sessions: a table in shared memory, one for the daemon, so that the
//! numbers go on through reloads and deaths. Zygotes write which counters there are; whoever counts
//! adds to a series. For display, never for decisions: a session can spoil the modules' numbers and
//! nothing else. How the numbers are shown is the command line's business.

mod table;

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::OnceLock;

use nix::fcntl::{Flock, FlockArg};

use crate::{log, sys};
use table::{FAMILIES, FAMILY_SIZE};

pub(crate) use table::{Directory, Family, LABELS, Row};

/// The table's name in the runtime directory.
pub(crate) const FILE: &str = "counters";

/// The counters of the host itself. Sessions do not have their pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Own {
    /// Sessions that began within the limits.
    Admitted = 0,
    /// Connections that were turned away, and sessions that were over a limit, by the reason.
    Refused = 1,
    /// Sessions that have ended, by the cause.
    Ended = 2,
    /// Ends that the journal could not take.
    JournalFailures = 3,
}

/// Name and label of each of them.
const OWN: [(&str, &[&str]); 4] = [
    ("exeunt_sessions_admitted", &[]),
    ("exeunt_sessions_refused", &["reason"]),
    ("exeunt_sessions_ended", &["cause"]),
    ("exeunt_journal_failures", &[]),
];

/// A counter that a module registered.
pub(crate) struct Wanted<'a> {
    /// Its name in OpenMetrics, without `_total`.
    pub(crate) name: String,
    /// The names of its labels.
    pub(crate) labels: &'a [String],
    /// The index of its module.
    pub(crate) module: usize,
}

/// A counter of this generation: whose it is, and its place if there was one.
struct Place {
    module: usize,
    family: Option<&'static Family>,
}

/// The table as a zygote has mapped it; its children have the modules' part.
struct Table {
    own: &'static [Family],
    places: Vec<Place>,
}

static TABLE: OnceLock<Table> = OnceLock::new();

/// Opens the daemon's table, made if it is not there, and gives each counter its place. Once in a
/// process; until then nothing is counted.
pub(crate) fn open(runtime_dir: &Path, wanted: &[Wanted<'_>]) -> io::Result<()> {
    // Nobody else gives places at the same time.
    let file = locked(runtime_dir)?;
    let directory: &[Directory] = sys::map_pages(&*file, 0, 1)?;
    sys::not_for_children(directory)?;
    let own: &[Family] = sys::map_pages(&*file, size_of::<Directory>(), OWN.len())?;
    sys::not_for_children(own)?;
    for (place, (name, labels)) in OWN.iter().enumerate() {
        directory[0].names[place].set(name, labels.iter().copied());
    }
    let offset = size_of::<Directory>() + OWN.len() * FAMILY_SIZE;
    let families: &[Family] = sys::map_pages(&*file, offset, FAMILIES - OWN.len())?;
    let place = |wanted: &Wanted<'_>| {
        let family = directory[0].place(OWN.len(), &wanted.name, wanted.labels);
        if family.is_none() {
            log::warn(format!("{} is not counted: the table of counters is full", wanted.name));
        }
        let family = family.and_then(|place| families.get(place - OWN.len()));
        Place { module: wanted.module, family }
    };
    let places = wanted.iter().map(place).collect();
    let _first = TABLE.set(Table { own, places });
    Ok(())
}

/// The file of the table, locked; whoever may ask the daemon may read it.
fn locked(runtime_dir: &Path) -> io::Result<Flock<File>> {
    let path = runtime_dir.join(FILE);
    let group = std::fs::metadata(runtime_dir)?.gid();
    for _ in 0..2 {
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o640);
        let file = Flock::lock(options.open(&path)?, FlockArg::LockExclusive);
        let file = file.map_err(|(_, e)| io::Error::from(e))?;
        let about = file.metadata()?;
        if about.gid() != group {
            std::os::unix::fs::fchown(&*file, None, Some(group))?;
        }
        if about.len() == 0 {
            file.set_len(table::SIZE)?;
            let directory: &[Directory] = sys::map_pages(&*file, 0, 1)?;
            sys::not_for_children(directory)?;
            directory[0].begin();
            return Ok(file);
        }
        if table::check(&file).is_ok() {
            return Ok(file);
        }
        // Another version's: those who have it mapped keep it.
        std::fs::remove_file(&path)?;
    }
    Err(io::Error::other("the table of counters changes under our hands"))
}

/// Adds one to a counter of the host.
pub(crate) fn count(which: Own, label: Option<&str>) {
    if let Some(table) = TABLE.get() {
        table.own[which as usize].add(label.as_slice(), 1);
    }
}

/// Adds to a counter of a module; false if the module has none with that number and those labels, or
/// nothing is counted in this process.
pub(crate) fn add(module: usize, number: u32, values: &[&str], amount: u64) -> bool {
    let place = TABLE.get().and_then(|table| table.places.get(number as usize));
    let Some(place) = place.filter(|place| place.module == module) else { return false };
    if let Some(family) = place.family {
        family.add(values, amount);
    }
    true
}

/// Whether a name in OpenMetrics is the host's own.
pub(crate) fn is_own(name: &str) -> bool {
    name == "exeunt_sessions" || name == "exeunt_start_time" || OWN.iter().any(|own| own.0 == name)
}

/// How many were turned away or were over a limit, by reason, of a table's counters.
pub(crate) fn refused(rows: &[Row]) -> impl Iterator<Item = (String, u64)> {
    let of_it = rows.iter().filter(|row| row.name == OWN[Own::Refused as usize].0);
    of_it.flat_map(|row| &row.series).filter_map(|(values, number)| {
        let reason = values.first()?.clone();
        (*number > 0).then_some((reason, *number))
    })
}

/// Reads every counter of a daemon's table.
///
/// # Errors
///
/// If the file cannot be read, or has a layout that this version does not know.
pub(crate) fn read(runtime_dir: &Path) -> io::Result<Vec<Row>> {
    let file = File::open(runtime_dir.join(FILE))?;
    table::check(&file)?;
    let directory: &[Directory] = sys::map_read_only(&file, 0, 1)?;
    let families: &[Family] = sys::map_read_only(&file, size_of::<Directory>(), FAMILIES)?;
    Ok(directory[0].read(families))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process has one table: each of these steps builds on the one before.
    #[test]
    fn what_is_counted_is_read_by_others_and_goes_on_for_the_next_generation() {
        let dir = tempfile::tempdir().expect("a folder");
        let labels = ["user".to_owned()];
        let wanted = |name: &str| Wanted { name: name.to_owned(), labels: &labels, module: 3 };
        open(dir.path(), &[wanted("exeunt_a_b")]).expect("opened");
        count(Own::Ended, Some("client-quit"));
        count(Own::Refused, Some("limit-logins"));
        assert!(add(3, 0, &["anna"], 2) && add(3, 0, &["anna"], 3));
        assert!(!add(2, 0, &["anna"], 1), "another module's counter");
        assert!(!add(3, 1, &["anna"], 1), "no counter");
        // The next generation registers another one before.
        open(dir.path(), &[wanted("exeunt_new"), wanted("exeunt_a_b")]).expect("opened");
        let rows = read(dir.path()).expect("read");
        let row = |name: &str| rows.iter().find(|row| row.name == name).expect("a row");
        assert_eq!(row("exeunt_a_b").series, [(vec!["anna".to_owned()], 5)]);
        assert_eq!(row("exeunt_sessions_ended").series, [(vec!["client-quit".to_owned()], 1)]);
        assert_eq!(row("exeunt_new").series, []);
        let refused: Vec<_> = refused(&rows).collect();
        assert_eq!(refused, [("limit-logins".to_owned(), 1)]);
        assert_eq!(row("exeunt_sessions_admitted").series, [(vec![], 0)]);
    }

    #[test]
    fn a_table_of_another_layout_is_refused_by_readers_and_replaced_by_a_zygote() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join(FILE), [7; 10_000]).expect("written");
        assert!(read(dir.path()).is_err());
        drop(locked(dir.path()).expect("replaced"));
        assert_eq!(read(dir.path()).expect("read").len(), 0);
    }
}
