//! `exeunt exits`: how sessions ended, and what each listener did.

use std::fmt::Write as _;
use std::io;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Deserialize;

use super::Streams;
use super::daemon::Daemon;
use super::journal::Journal;
use super::refusal::{Failure, Refusal};
use super::show;

/// Waits for more lines; says whether somebody still reads them.
pub(super) type Wait<'a> = &'a mut dyn FnMut() -> bool;

/// An ended session.
#[derive(Debug, Deserialize)]
struct Exit {
    session: String,
    user: Option<String>,
    peer: String,
    cause: String,
    detail: Option<String>,
    ended: String,
    duration_ms: f64,
    sealed: bool,
    replayed: bool,
    listeners: Vec<Listener>,
}

/// What a listener did.
#[derive(Debug, Deserialize)]
struct Listener {
    module: String,
    listener: String,
    outcome: String,
    error: Option<String>,
    ms: f64,
    by: String,
    attempt: u64,
}

/// Shows the last sessions, and those that end later if there is a way to wait for them.
pub(super) fn run(
    daemon: &Daemon,
    last: usize,
    json: bool,
    mut follow: Option<Wait<'_>>,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let place = daemon.state_dir.display();
        Refusal::failed(format!("could not read the journal in {place}"), &error)
    };
    let counts = |line: &[u8]| Exit::parse(line).is_some();
    let mut journal = Journal::open(&daemon.state_dir, last, counts).map_err(failed)?;
    loop {
        let mut skipped = 0;
        while let Some(line) = journal.line().map_err(failed)? {
            skipped += show_line(&line, json, streams)?;
        }
        if follow.is_none()
            && let Some(line) = journal.rest()
        {
            skipped += show_line(&line, json, streams)?;
        }
        streams.flush()?;
        if skipped > 0 {
            let lines = show::count(skipped, "line");
            streams.note(&format!("{lines} of the journal could not be understood, and skipped"));
        }
        if !follow.as_mut().is_some_and(|wait| wait()) {
            return Ok(());
        }
    }
}

/// Waits for a moment; says whether standard output is still read.
pub(super) fn wait() -> bool {
    const MOMENT: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
    let stdout = io::stdout();
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    // An error tells nothing of the reader; the next line that is written will.
    let _ready = poll(&mut watched, Some(&MOMENT));
    !watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL)
}

/// Shows a line of the journal; says how many lines could not be understood.
fn show_line(line: &[u8], json: bool, streams: &mut Streams<'_>) -> Result<u64, Failure> {
    let Some(exit) = Exit::parse(line) else {
        return Ok(u64::from(!line.is_empty()));
    };
    let shown = match str::from_utf8(line) {
        Ok(text) if json => show::json_line(text),
        _ => exit.render(),
    };
    streams.say(&shown)?;
    Ok(0)
}

impl Exit {
    fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    fn render(&self) -> String {
        let cause = show::escape(&self.cause);
        let cause = match &self.detail {
            Some(detail) => format!("{cause} ({})", show::escape(detail)),
            None => cause,
        };
        let mut shown = [
            show::escape(&self.ended),
            show::escape(&self.session),
            show::or_dash(self.user.as_deref()),
            show::escape(&self.peer),
            cause,
            show::length(self.duration_ms),
        ]
        .join("  ");
        for (applies, mark) in [(self.replayed, "  replayed"), (!self.sealed, "  not sealed")] {
            shown.push_str(if applies { mark } else { "" });
        }
        let rows: Vec<_> = (1..).zip(&self.listeners).map(|(n, l)| l.cells(n)).collect();
        let _ = write!(shown, "\n{}", show::columns("  ", &rows));
        shown
    }
}

impl Listener {
    fn cells(&self, number: u32) -> [String; 6] {
        let mut by = show::escape(&self.by);
        if self.attempt > 1 {
            let _ = write!(by, ", attempt {}", self.attempt);
        }
        [
            number.to_string(),
            format!("{}/{}", show::escape(&self.module), show::escape(&self.listener)),
            show::escape(&self.outcome),
            show::length(self.ms),
            by,
            self.error.as_deref().map_or_else(String::new, show::escape),
        ]
    }
}
