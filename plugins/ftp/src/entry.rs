//! What is known about one thing in a folder, and how listings show it: as `ls -l` does (LIST, STAT)
//! and as facts (MLSD, MLST; RFC 3659). Pure: neither disk nor socket.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::reply::printable;

/// What a thing in a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link that leads nowhere, or out of the tree.
    Link,
    /// A device, a FIFO, a socket.
    Other,
}

/// One thing in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As on disk; bytes that are not UTF-8 are replaced.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The permission bits.
    pub(crate) mode: u32,
    pub(crate) links: u64,
    pub(crate) size: u64,
    /// The last change of the content, in seconds since 1970.
    pub(crate) modified: i64,
    /// Device and inode.
    pub(crate) unique: (u64, u64),
}

/// The age at which `ls` shows the year in place of the time: half a year, in seconds.
const HALF_A_YEAR: i64 = 365 * 24 * 3600 / 2;

impl Entry {
    /// Whether a listing leaves it out unless asked for everything.
    pub(crate) fn is_hidden(&self) -> bool {
        self.name.starts_with('.')
    }

    /// The line of `ls -l`, without its end. Months are English and times UTC whatever the locale.
    pub(crate) fn long_line(&self, now: Timestamp) -> String {
        let age = now.as_second() - self.modified;
        let recent = (0..HALF_A_YEAR).contains(&age);
        let date = format_utc(self.modified, if recent { "%b %e %H:%M" } else { "%b %e  %Y" });
        let (links, size) = (self.links, self.size);
        let name = printable(&self.name);
        format!("{} {links:>3} ftp      ftp      {size:>10} {date} {name}", self.mode_text())
    }

    fn mode_text(&self) -> String {
        let mut text = String::with_capacity(10);
        text.push(match self.kind {
            Kind::File => '-',
            Kind::Folder => 'd',
            Kind::Link => 'l',
            // Which of them it is does not matter to somebody who cannot transfer it.
            Kind::Other => 's',
        });
        for shift in [6, 3, 0] {
            let bits = self.mode >> shift;
            for (bit, letter) in [(4, 'r'), (2, 'w'), (1, 'x')] {
                text.push(if bits & bit == 0 { '-' } else { letter });
            }
        }
        text
    }
}

/// A fact of RFC 3659, section 7.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Type,
    Size,
    Modify,
    Perm,
    Unique,
    UnixMode,
}

impl Fact {
    /// All of them, in the order in which they are shown.
    pub(crate) const ALL: [Self; 6] =
        [Self::Type, Self::Size, Self::Modify, Self::Perm, Self::Unique, Self::UnixMode];

    /// The name as FEAT and listings show it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Size => "size",
            Self::Modify => "modify",
            Self::Perm => "perm",
            Self::Unique => "unique",
            Self::UnixMode => "UNIX.mode",
        }
    }
}

/// What an entry is to the folder that is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// One of the things in it.
    Member,
    /// The folder itself.
    Listed,
    /// The folder above.
    Parent,
}

/// What the client may do with an entry, beside reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    /// Change, rename and remove it.
    pub(crate) write: bool,
    /// If it is a folder: make and remove things in it.
    pub(crate) fill: bool,
}

/// The facts of an entry, each `name=value;`, without blank and name.
pub(crate) fn facts(entry: &Entry, role: Role, rights: Rights, chosen: &[Fact]) -> String {
    let mut text = String::new();
    for fact in Fact::ALL.into_iter().filter(|fact| chosen.contains(fact)) {
        let value = match fact {
            Fact::Type => type_fact(entry.kind, role).to_owned(),
            Fact::Size if entry.kind == Kind::File => entry.size.to_string(),
            Fact::Size => continue,
            Fact::Modify => stamp(entry.modified),
            Fact::Perm => perm_fact(entry.kind, rights),
            Fact::Unique => format!("{:x}g{:x}", entry.unique.0, entry.unique.1),
            Fact::UnixMode => format!("{:04o}", entry.mode),
        };
        let _infallible = write!(text, "{}={value};", fact.name());
    }
    text
}

fn type_fact(kind: Kind, role: Role) -> &'static str {
    match (kind, role) {
        (Kind::Folder, Role::Listed) => "cdir",
        (Kind::Folder, Role::Parent) => "pdir",
        (Kind::Folder, Role::Member) => "dir",
        (Kind::File, _) => "file",
        (Kind::Link, _) => "OS.unix=symlink",
        (Kind::Other, _) => "OS.unix=other",
    }
}

/// The letters of RFC 3659, section 7.5.5.
fn perm_fact(kind: Kind, rights: Rights) -> String {
    let letters = match kind {
        Kind::File => [("r", true), ("adfw", rights.write)],
        Kind::Folder => [("el", true), ("cmp", rights.fill)],
        Kind::Link | Kind::Other => [("", false), ("df", rights.write)],
    };
    let also = if kind == Kind::Folder && rights.write { "df" } else { "" };
    letters.iter().filter(|(_, may)| *may).map(|(text, _)| *text).chain([also]).collect()
}

/// The time stamp of MDTM and `modify`: UTC, to the second.
pub(crate) fn stamp(seconds: i64) -> String {
    format_utc(seconds, "%Y%m%d%H%M%S")
}

fn format_utc(seconds: i64, format: &str) -> String {
    // What lies beyond the years that can be told is a broken clock's or a joke.
    let moment = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    moment.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_750_000_000; // 2025-06-15 15:06:40 UTC

    fn entry(name: &str, kind: Kind) -> Entry {
        let unique = (0x801, 0x2a);
        let name = name.to_owned();
        Entry { name, kind, mode: 0o644, links: 1, size: 11, modified: NOON, unique }
    }

    fn now(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a moment")
    }

    #[test]
    fn a_line_looks_like_ls() {
        let line = entry("a b.txt", Kind::File).long_line(now(NOON + 60));
        assert_eq!(line, "-rw-r--r--   1 ftp      ftp              11 Jun 15 15:06 a b.txt");
        let mut folder = entry("d", Kind::Folder);
        folder.mode = 0o751;
        assert!(folder.long_line(now(NOON)).starts_with("drwxr-x--x   1 ftp "));
    }

    #[test]
    fn an_old_or_future_file_shows_its_year() {
        let entry = entry("a", Kind::File);
        assert!(entry.long_line(now(NOON + HALF_A_YEAR)).ends_with(" Jun 15  2025 a"));
        assert!(entry.long_line(now(NOON - 1)).ends_with(" Jun 15  2025 a"));
        assert!(entry.long_line(now(NOON + HALF_A_YEAR - 1)).ends_with(" Jun 15 15:06 a"));
    }

    #[test]
    fn a_name_with_a_line_end_stays_on_its_line() {
        let line = entry("a\r\nb", Kind::File).long_line(now(NOON));
        assert!(line.ends_with(" a??b"), "{line}");
    }

    #[test]
    fn facts_follow_what_was_chosen() {
        let none = Rights { write: false, fill: false };
        let chosen = [Fact::Size, Fact::Modify];
        let file = entry("a", Kind::File);
        assert_eq!(facts(&file, Role::Member, none, &chosen), "size=11;modify=20250615150640;");
        assert_eq!(
            facts(&file, Role::Member, none, &Fact::ALL),
            "type=file;size=11;modify=20250615150640;perm=r;unique=801g2a;UNIX.mode=0644;"
        );
        assert_eq!(facts(&file, Role::Member, none, &[]), "");
    }

    #[test]
    fn folders_have_roles_and_no_size() {
        let folder = entry("d", Kind::Folder);
        let chosen = [Fact::Type, Fact::Size, Fact::Perm];
        let full = Rights { write: true, fill: true };
        let only_fill = Rights { write: false, fill: true };
        assert_eq!(facts(&folder, Role::Member, full, &chosen), "type=dir;perm=elcmpdf;");
        assert_eq!(facts(&folder, Role::Listed, only_fill, &chosen), "type=cdir;perm=elcmp;");
    }

    #[test]
    fn a_moment_that_cannot_be_told_is_the_epoch() {
        assert_eq!(stamp(i64::MAX), "19700101000000");
        assert_eq!(stamp(0), "19700101000000");
    }
}
