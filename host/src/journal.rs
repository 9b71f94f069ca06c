//! The journal: one line of JSON for each session that has ended, appended in one write, kept over
//! restarts. Reading it is the command line's business.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;

use exeunt_ledger::{Chain, Phase, Place};
use rustix::fs::{FlockOperation, flock};
use serde::Serialize;

use crate::api::Subject;
use crate::cause::Cause;
use crate::clock;
use crate::events::Listener;
use crate::generation::Generation;

/// The journal's name in the state directory; the older one has `.1` behind it.
pub(crate) const NAME: &str = "exits.jsonl";

/// An ended session, as the journal has it. Fields are only added.
#[derive(Serialize)]
pub(crate) struct Line {
    session: String,
    generation: u64,
    listen: String,
    protocol: String,
    user: Option<String>,
    peer: String,
    cause: &'static str,
    detail: Option<String>,
    started: String,
    ended: String,
    duration_ms: u64,
    sealed: bool,
    replayed: bool,
    bytes_in: u64,
    bytes_out: u64,
    listeners: Vec<Told>,
}

/// How one listener went.
#[derive(Serialize)]
pub(crate) struct Told {
    module: String,
    listener: String,
    outcome: &'static str,
    error: Option<String>,
    ms: f64,
    by: &'static str,
    attempt: u32,
}

impl Line {
    /// What the ledger says about a session whose chain has come to its end.
    pub(crate) fn of(
        subject: &Subject,
        generation: &Generation,
        replayed: bool,
        chain: &Chain<'_>,
    ) -> Self {
        let (state, about) = (subject.state, &subject.about);
        let started = subject.identity.started.load(Relaxed);
        let ended = state.ended.load(Relaxed);
        let told = generation.exits().iter().enumerate();
        let told = told.filter_map(|(index, l)| Told::of(generation, chain, index, l));
        Self {
            session: about.id.clone(),
            generation: generation.number,
            listen: about.listen.clone(),
            protocol: about.protocol.clone(),
            user: subject.user(),
            peer: about.peer.clone(),
            // A number that is no cause was written by code that has taken the session over.
            cause: subject.cause().unwrap_or(Cause::ModuleRequest).name(),
            detail: Some(state.detail.get()).filter(|detail| !detail.is_empty()),
            started: clock::rfc3339(started),
            ended: clock::rfc3339(ended),
            duration_ms: ended.saturating_sub(started),
            sealed: chain.is_sealed(),
            replayed,
            bytes_in: state.bytes_in.load(Relaxed),
            bytes_out: state.bytes_out.load(Relaxed),
            listeners: told.collect(),
        }
    }

    /// The line for the log.
    pub(crate) fn summary(&self) -> String {
        let user = self.user.as_deref().unwrap_or("-");
        let detail = self.detail.as_ref().map(|d| format!(" ({d})")).unwrap_or_default();
        let is_last = |place: usize| self.listeners.get(place + 1).is_none_or(|l| l.attempt == 1);
        let told = self.listeners.iter().enumerate();
        let failed = told.filter(|(place, l)| l.outcome != "done" && is_last(*place)).count();
        let failed =
            if failed == 0 { String::new() } else { format!(", {failed} listeners failed") };
        let Self { listen, peer, cause, duration_ms, .. } = self;
        format!("closed: {user} from {peer} on {listen}, {cause}{detail}, {duration_ms} ms{failed}")
    }
}

impl Told {
    /// Nothing for an attempt that was not needed.
    fn of(
        generation: &Generation,
        chain: &Chain<'_>,
        index: usize,
        listener: &Listener,
    ) -> Option<Self> {
        let is_root = listener.place == Place::Root && generation.account.is_some();
        (chain.phase(index) != Phase::Spared).then(|| Self {
            module: generation.plan.modules[listener.module].name.clone(),
            listener: listener.name.clone(),
            outcome: chain.phase(index).name().unwrap_or("failed"),
            error: Some(chain.error(index)).filter(|error| !error.is_empty()),
            ms: chain.took_micros(index) as f64 / 1000.0,
            by: match chain.entered_by(index) {
                0 => "session",
                _ if is_root => "root-runner",
                _ => "runner",
            },
            attempt: listener.attempt,
        })
    }
}

/// The journal's file, open to append. The generations that are living write into the same one.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    max: u64,
    /// Whether the last append failed, perhaps half way.
    torn: bool,
}

impl Journal {
    /// Opens the journal in `state_dir`, of which a new one begins before it would pass `max` bytes.
    pub(crate) fn open(state_dir: &Path, max: u64) -> io::Result<Self> {
        let path = state_dir.join(NAME);
        let file = open(&path)?;
        Ok(Self { torn: ends_torn(&path), file, path, max })
    }

    /// Whether there is a line about that session, in this file or the one before.
    pub(crate) fn holds(&self, session: &str) -> bool {
        let field = format!("\"session\":\"{session}\"");
        let is_in = |path: &Path| {
            let Ok(file) = File::open(path) else { return false };
            let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
            lines.into_iter().any(|line| {
                let line = String::from_utf8_lossy(&line);
                line.contains(&field) && line.ends_with('}')
            })
        };
        is_in(&self.path) || is_in(&self.path.with_file_name(format!("{NAME}.1")))
    }

    /// Appends a line.
    pub(crate) fn append(&mut self, line: &Line) -> io::Result<()> {
        self.write(serde_json::to_string(line)?)
    }

    fn write(&mut self, mut text: String) -> io::Result<()> {
        text.push('\n');
        if !self.is_current()? {
            self.file = open(&self.path)?;
        }
        let size = self.file.metadata()?.len();
        if size > 0 && size + text.len() as u64 > self.max {
            self.rotate()?;
        }
        // A line that was written in part gets its end first, so that it does not spoil this one.
        if self.torn {
            text.insert(0, '\n');
        }
        self.torn = true;
        self.file.write_all(text.as_bytes())?;
        self.torn = false;
        Ok(())
    }

    /// Whether nobody has put another file, or none, in its place.
    fn is_current(&self) -> io::Result<bool> {
        let own = self.file.metadata()?;
        let there = fs::metadata(&self.path);
        Ok(there.is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino())))
    }

    /// Begins a new file. One generation does it; another finds it with its next line.
    fn rotate(&mut self) -> io::Result<()> {
        if flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(());
        }
        if self.is_current()? {
            fs::rename(&self.path, self.path.with_file_name(format!("{NAME}.1")))?;
        }
        self.file = open(&self.path)?;
        Ok(())
    }
}

/// Whether whoever wrote last was killed in the middle of a line.
fn ends_torn(path: &Path) -> bool {
    let last = || {
        let file = File::open(path)?;
        let mut last = *b"\n";
        let at = file.metadata()?.len().saturating_sub(1);
        file.read_at(&mut last, at)?;
        io::Result::Ok(last[0])
    };
    last().is_ok_and(|byte| byte != b'\n')
}

fn open(path: &Path) -> io::Result<File> {
    File::options().append(true).create(true).mode(0o640).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dir: &Path, name: &str) -> String {
        fs::read_to_string(dir.join(name)).unwrap_or_default()
    }

    #[test]
    fn generations_share_a_journal_and_its_change() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut one = Journal::open(dir.path(), 8).expect("a journal");
        let mut other = Journal::open(dir.path(), 8).expect("a journal");
        for (text, by) in [("a", true), ("bb", false), ("ccc", true), ("d", false), ("e", true)] {
            let journal = if by { &mut one } else { &mut other };
            journal.write(text.to_owned()).expect("written");
        }
        assert_eq!(read(dir.path(), &format!("{NAME}.1")), "a\nbb\n");
        assert_eq!(read(dir.path(), NAME), "ccc\nd\ne\n");
    }

    #[test]
    fn a_line_is_found_if_it_is_whole_and_a_torn_one_spoils_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let whole = "{\"session\":\"a-1\",\"sealed\":true}";
        fs::write(dir.path().join(NAME), format!("{whole}\n{}", &whole[..20])).expect("written");
        let mut journal = Journal::open(dir.path(), 1000).expect("a journal");
        assert!(journal.holds("a-1") && !journal.holds("a-2"));
        journal.write(whole.replace("a-1", "a-2")).expect("written");
        assert!(journal.holds("a-2"));
        let lines = read(dir.path(), NAME);
        assert_eq!(lines.lines().filter(|line| line.ends_with('}')).count(), 2, "{lines}");
    }

    #[test]
    fn a_journal_that_was_moved_away_begins_anew() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut journal = Journal::open(dir.path(), 100).expect("a journal");
        journal.write("a".to_owned()).expect("written");
        fs::rename(dir.path().join(NAME), dir.path().join("away")).expect("moved");
        journal.write("b".to_owned()).expect("written");
        assert_eq!([read(dir.path(), "away"), read(dir.path(), NAME)], ["a\n", "b\n"]);
    }
}
