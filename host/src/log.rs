//! The daemon's log: one line an event, one `write` a line, so that lines of many processes never
//! mix. What is worth a line is decided where it happens; ended sessions also go to the journal.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

use crate::clock;
use crate::config::{Format, Level, Log, LogTo};

struct Logger {
    level: Level,
    format: Format,
    to: Option<OwnedFd>,
}

thread_local! {
    // The daemon's processes have one thread each.
    static LOGGER: RefCell<Logger> =
        const { RefCell::new(Logger { level: Level::Info, format: Format::Text, to: None }) };
    static ROLE: Cell<&'static str> = const { Cell::new("exeunt") };
}

/// Opens the log as configured. Lines before this go to standard error.
pub(crate) fn open(settings: &Log) -> io::Result<()> {
    let to = match &settings.to {
        LogTo::Stderr => None,
        LogTo::File(path) => {
            let file = File::options().append(true).create(true).mode(0o640).open(path)?;
            Some(file.into())
        }
    };
    LOGGER.set(Logger { level: settings.level, format: settings.format, to });
    Ok(())
}

/// The descriptor of the log's file, if it is not standard error.
pub(crate) fn descriptor() -> Option<RawFd> {
    LOGGER.with_borrow(|logger| logger.to.as_ref().map(AsRawFd::as_raw_fd))
}

/// Names the role of this process in every further line.
pub(crate) fn set_role(role: &'static str) {
    ROLE.set(role);
}

/// Logs a line; `about` is a session's id or empty, `who` a module's name or empty.
pub(crate) fn line(level: Level, about: &str, who: &str, text: &str) {
    LOGGER.with_borrow(|logger| {
        if level > logger.level {
            return;
        }
        let line = render(logger.format, level, about, who, text);
        // There is nobody to tell if the log cannot be written.
        let _unwritten = match &logger.to {
            Some(file) => rustix::io::write(file.as_fd(), line.as_bytes()).map(drop),
            None => io::stderr().write_all(line.as_bytes()).map_err(|_| rustix::io::Errno::IO),
        };
    });
}

fn render(format: Format, level: Level, about: &str, who: &str, text: &str) -> String {
    let time = clock::rfc3339(clock::unix_millis());
    let level = match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
    };
    let role = if who.is_empty() { ROLE.get() } else { who };
    match format {
        Format::Json => {
            let session = Some(about).filter(|s| !s.is_empty());
            let line = serde_json::json!({
                "time": time, "level": level, "by": role, "session": session, "text": text,
            });
            format!("{line}\n")
        }
        Format::Text => {
            let space = if about.is_empty() { "" } else { " " };
            format!("{time} {level:<5} {role}{space}{about}: {}\n", text.escape_debug_controls())
        }
    }
}

/// Makes text that came from outside safe for a terminal and for one line.
trait EscapeControls {
    fn escape_debug_controls(&self) -> String;
}

impl EscapeControls for str {
    fn escape_debug_controls(&self) -> String {
        let mut out = String::with_capacity(self.len());
        for c in self.chars() {
            if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
        }
        out
    }
}

/// Logs what failed that should not.
pub(crate) fn error(text: impl Display) {
    line(Level::Error, "", "", &text.to_string());
}

/// Logs what is odd.
pub(crate) fn warn(text: impl Display) {
    line(Level::Warn, "", "", &text.to_string());
}

/// Logs what an operator wants to read.
pub(crate) fn info(text: impl Display) {
    line(Level::Info, "", "", &text.to_string());
}

/// Logs what a developer wants to read.
pub(crate) fn debug(text: impl Display) {
    line(Level::Debug, "", "", &text.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        let line = render(Format::Text, Level::Info, "s-1", "ftp", "a\nb\u{1b}[0m");
        assert!(line.ends_with(" info  ftp s-1: a\\nb\\u{1b}[0m\n"), "{line}");
    }

    #[test]
    fn json_names_the_session() {
        let line = render(Format::Json, Level::Warn, "s-1", "", "x");
        let value: serde_json::Value = serde_json::from_str(&line).expect("one JSON value");
        assert_eq!((&value["session"], &value["level"]), (&"s-1".into(), &"warn".into()));
    }
}
