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

    /// What a module answers in place of this one: the code stands at the beginning of its text, or is
    /// `code` if none of the same kind (success or failure) does.
    pub(crate) fn of_module(code: u16, text: &str) -> Self {
        let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
        let own = first.parse().ok().filter(|own| (200..600).contains(own) && first.len() == 3);
        match own.filter(|own| (*own >= 400) == (code >= 400)) {
            Some(own) => Self::new(own, rest),
            None => Self::new(code, text),
        }
    }

    /// Whether it says that a command failed.
    pub(crate) fn is_failure(&self) -> bool {
        self.code >= 400
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
    fn a_modules_text_has_its_code_if_it_is_of_the_right_kind() {
        assert_eq!(Reply::of_module(200, "214 Help.").to_string(), "214 Help.\r\n");
        assert_eq!(Reply::of_module(550, "552 Full.").to_string(), "552 Full.\r\n");
        assert_eq!(Reply::of_module(550, "200 Fine.").to_string(), "550 200 Fine.\r\n");
        assert_eq!(Reply::of_module(550, "no luck").to_string(), "550 no luck\r\n");
        assert_eq!(Reply::of_module(200, "").to_string(), "200 \r\n");
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
