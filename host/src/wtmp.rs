//! The system's record of logins, wtmp(5): a line when a system user has logged in and one when they
//! are gone, as `last` reads them. Whether a session has one, and that it is closed once, stands on its
//! identity page; who asks for it is the business of the process roles.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::mem::offset_of;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use libc::utmpx;
use nix::unistd::User;

use crate::clock;

/// Where the texts of a record begin; each ends where the next field begins.
const LINE: usize = offset_of!(utmpx, ut_line);
const ID: usize = offset_of!(utmpx, ut_id);
const USER: usize = offset_of!(utmpx, ut_user);
const HOST: usize = offset_of!(utmpx, ut_host);

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
enum Kind {
    Login = libc::USER_PROCESS,
    Logout = libc::DEAD_PROCESS,
}

/// Who has logged in.
#[derive(Debug)]
pub(crate) struct Login<'a> {
    pub(crate) user: &'a str,
    pub(crate) pid: u32,
    pub(crate) from: Option<IpAddr>,
}

/// The file. It is opened for each record: somebody may have put a new one in its place.
#[derive(Debug)]
pub(crate) struct Wtmp {
    path: PathBuf,
}

impl Wtmp {
    /// The file, which must be there: as for every other program, no file means no records.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        open(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Records that somebody has come in.
    pub(crate) fn log_in(&self, login: &Login<'_>) -> io::Result<()> {
        self.append(&record(Kind::Login, login, clock::unix_millis()))
    }

    /// Records that they are gone.
    pub(crate) fn log_out(&self, pid: u32) -> io::Result<()> {
        let nobody = Login { user: "", pid, from: None };
        self.append(&record(Kind::Logout, &nobody, clock::unix_millis()))
    }

    fn append(&self, record: &[u8]) -> io::Result<()> {
        open(&self.path)?.write_all(record)
    }
}

/// Whether the system knows a user of that name.
pub(crate) fn is_system_user(name: &str) -> bool {
    matches!(User::from_name(name), Ok(Some(_)))
}

fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().append(true).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    Ok(file)
}

/// The bytes of a record, at the places that the C library of this machine gives them.
fn record(kind: Kind, login: &Login<'_>, millis: u64) -> Vec<u8> {
    let mut bytes = vec![0; size_of::<utmpx>()];
    let mut put = |at: usize, room: usize, value: &[u8]| {
        let length = value.len().min(room);
        bytes[at..at + length].copy_from_slice(&value[..length]);
    };
    let pid = login.pid.to_string();
    put(offset_of!(utmpx, ut_type), 2, &(kind as i16).to_ne_bytes());
    put(offset_of!(utmpx, ut_pid), 4, &login.pid.to_ne_bytes());
    put(LINE, ID - LINE, format!("exeunt:{pid}").as_bytes());
    put(ID, USER - ID, &pid.as_bytes()[pid.len().saturating_sub(4)..]);
    put(USER, HOST - USER, login.user.as_bytes());
    if let Some(from) = login.from {
        put(HOST, offset_of!(utmpx, ut_exit) - HOST, from.to_string().as_bytes());
        match from {
            IpAddr::V4(from) => put(offset_of!(utmpx, ut_addr_v6), 4, &from.octets()),
            IpAddr::V6(from) => put(offset_of!(utmpx, ut_addr_v6), 16, &from.octets()),
        }
    }
    // Two numbers, of 32 bits where programs of both widths share the file.
    let (seconds, micros) = (millis / 1000, millis % 1000 * 1000);
    let at = offset_of!(utmpx, ut_tv);
    let width = (offset_of!(utmpx, ut_addr_v6) - at) / 2;
    for (place, number) in [(at, seconds), (at + width, micros)] {
        let number = number.to_ne_bytes();
        let low = if cfg!(target_endian = "big") { &number[8 - width..] } else { &number[..width] };
        put(place, width, low);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], at: usize, room: usize) -> String {
        let text = &bytes[at..at + room];
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(room);
        String::from_utf8_lossy(&text[..end]).into_owned()
    }

    #[test]
    fn a_record_has_its_fields_at_their_places_and_long_ones_are_cut() {
        let from = "192.0.2.7".parse().ok();
        let long = "u".repeat(40);
        let bytes =
            record(Kind::Login, &Login { user: &long, pid: 123_456, from }, 1_700_000_000_250);
        assert_eq!(bytes.len(), size_of::<utmpx>());
        assert_eq!(bytes[..2], 7_i16.to_ne_bytes());
        assert_eq!(text(&bytes, LINE, 32), "exeunt:123456");
        assert_eq!(text(&bytes, ID, 4), "3456");
        assert_eq!(text(&bytes, USER, 32), long[..32]);
        assert_eq!(text(&bytes, HOST, 256), "192.0.2.7");
        let at = offset_of!(utmpx, ut_tv);
        assert_eq!(bytes[at..at + 4], 1_700_000_000_u32.to_ne_bytes());
    }

    #[test]
    fn there_must_be_a_plain_file() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(Wtmp::at(&dir.path().join("wtmp")).is_err());
        assert!(Wtmp::at(dir.path()).is_err());
    }

    #[test]
    fn root_is_a_system_user_and_anybody_is_not() {
        assert!(is_system_user("root"));
        assert!(!is_system_user("no-such-user"));
    }
}
