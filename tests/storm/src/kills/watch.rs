//! When each line came into the journal.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::Result;

/// How long a look may be late when nothing is told, in milliseconds.
const LATE: u16 = 20;

/// A line of the journal.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// When it was seen.
    pub(super) at: Instant,
    /// Its text.
    pub(super) text: String,
}

/// Sees the lines come.
#[derive(Debug)]
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    lines: JoinHandle<Result<Vec<Line>>>,
}

impl Watch {
    /// Begins to look at a journal, which is there; made anew if it is not.
    ///
    /// # Errors
    ///
    /// It cannot be looked at.
    pub(super) fn start(journal: &Path) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let watch = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        let file = File::open(journal)?;
        watch.add_watch(journal, AddWatchFlags::IN_MODIFY)?;
        let (stopped, path) = (Arc::clone(&stop), journal.to_owned());
        let lines = thread::spawn(move || {
            let (mut lines, mut read, mut rest) = (Vec::new(), 0, Vec::new());
            loop {
                let is_last = stopped.load(SeqCst);
                wait(&watch);
                let size = fs::metadata(&path)?.len();
                let mut new = vec![0; (size - read) as usize];
                file.read_exact_at(&mut new, read)?;
                let at = Instant::now();
                read = size;
                rest.extend(new);
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                    lines.push(Line { at, text });
                }
                if is_last {
                    return Ok(lines);
                }
            }
        });
        Ok(Self { stop, lines })
    }

    /// Stops looking; every line.
    ///
    /// # Errors
    ///
    /// The journal could not be read.
    pub(super) fn stop(self) -> Result<Vec<Line>> {
        self.stop.store(true, SeqCst);
        self.lines.join().map_err(|_| "the watcher panicked")?
    }
}

fn wait(watch: &Inotify) {
    let mut polled = [PollFd::new(watch.as_fd(), PollFlags::POLLIN)];
    // What comes late is seen at the next look.
    let _late = poll(&mut polled, PollTimeout::from(LATE));
    let _told = watch.read_events();
}
