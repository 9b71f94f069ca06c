//! Replies as they go over the wire, and why a command ends early. Which reply when is the
//! business of the commands.

use std::fmt;
use std::io;

use exeunt_api::prelude::*;

/// A reply: a code and one line or more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    code: u16,
    lines: Vec<String>,
}

/// What a command comes to: its last reply, or the reason why there is none of its own.
pub(crate) type Answer<T = Reply> = std::result::Result<T, Stop>;

/// Why a command stops early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// With this reply.
    Reply(Reply),
    /// The session is ending, or cannot go on.
    Session(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

impl From<Reply> for Stop {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

impl Reply {
    /// A reply of one line.
    pub(crate) fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, lines: vec![text.into()] }
    }

    /// A reply of a first line, any number of lines between, and a last one.
    pub(crate) fn block(
        code: u16,
        first: impl Into<String>,
        between: impl IntoIterator<Item = String>,
        last: impl Into<String>,
    ) -> Self {
        let lines = std::iter::once(first.into()).chain(between).chain([last.into()]);
        Self { code, lines: lines.collect() }
    }

    /// Tells a client what the file system said: 452 if there is no room, else `code`.
    pub(crate) fn from_io(code: u16, subject: impl fmt::Display, error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        let (code, text) = match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => (452, "no space left"),
            Kind::NotFound => (code, "no such file or directory"),
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => (code, "permission denied"),
            Kind::AlreadyExists => (code, "it exists already"),
            Kind::NotADirectory => (code, "not a directory"),
            Kind::IsADirectory => (code, "a directory"),
            Kind::DirectoryNotEmpty => (code, "the directory is not empty"),
            Kind::InvalidInput => (code, "not a plain file"),
            Kind::InvalidData => (code, "a name on the way is not UTF-8"),
            _ => (code, "the file system refuses"),
        };
        Self::new(code, format!("{subject}: {text}."))
    }
}

/// Lines between begin with a blank, so that none of them can be taken for the last.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code;
        let last = self.lines.len().saturating_sub(1);
        for (index, line) in self.lines.iter().enumerate() {
            let line = printable(line);
            match index {
                _ if index == last => write!(f, "{code} {line}\r\n")?,
                0 => write!(f, "{code}-{line}\r\n")?,
                _ => write!(f, " {line}\r\n")?,
            }
        }
        Ok(())
    }
}

/// The text with a question mark in place of each control character: names of files may contain
/// line ends, and a line of a reply or a listing must stay one line.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// A path as 257 shows it: in double quotes, those within doubled (RFC 959, appendix II).
pub(crate) fn quoted(path: impl fmt::Display) -> String {
    format!("\"{}\"", path.to_string().replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_and_many() {
        assert_eq!(Reply::new(200, "Fine.").to_string(), "200 Fine.\r\n");
        let block = Reply::block(211, "Features:", ["SIZE".to_owned()], "End");
        assert_eq!(block.to_string(), "211-Features:\r\n SIZE\r\n211 End\r\n");
    }

    #[test]
    fn a_name_cannot_end_a_line() {
        let reply = Reply::new(550, "a\r\n226 b: no");
        assert_eq!(reply.to_string(), "550 a??226 b: no\r\n");
    }

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(quoted("/x\"y"), "\"/x\"\"y\"");
    }

    #[test]
    fn a_full_disk_has_a_code_of_its_own() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(Reply::from_io(550, "a", &full).to_string(), "452 a: no space left.\r\n");
        let missing = io::Error::from(io::ErrorKind::NotFound);
        assert!(Reply::from_io(450, "a", &missing).to_string().starts_with("450 a: no such"));
    }
}
