//! The lines of the journal: the last ones, those that are added later, across a rotation. What a line
//! means is not known here.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

const CURRENT: &str = "exits.jsonl";
const ROTATED: &str = "exits.jsonl.1";
/// How much is read at once on the way back from the end.
const BLOCK: u64 = 1 << 16;

/// A reader of the journal.
pub(super) struct Journal {
    current: PathBuf,
    /// What is left to read; a file that was rotated away stands before its successor.
    files: VecDeque<BufReader<File>>,
    /// The beginning of a line whose end has not been written yet.
    begun: Vec<u8>,
}

impl Journal {
    /// Opens the journal of a state directory at the last `wanted` lines that count; at its first
    /// line if 0 are wanted. There need not be one yet.
    pub(super) fn open(
        state_dir: &Path,
        wanted: usize,
        counts: impl Fn(&[u8]) -> bool,
    ) -> io::Result<Self> {
        let current = state_dir.join(CURRENT);
        let (old, new) = open_both(&current, &state_dir.join(ROTATED))?;
        let mut files = VecDeque::new();
        let mut missing = wanted;
        for mut file in [new, old].into_iter().flatten() {
            if wanted > 0 {
                let (start, found) = last_lines(&file, missing, &counts)?;
                file.seek(SeekFrom::Start(start))?;
                missing -= found;
            }
            files.push_front(BufReader::new(file));
        }
        Ok(Self { current, files, begun: Vec::new() })
    }

    /// The next line without its end; nothing if no more has been written yet.
    pub(super) fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let Some(file) = self.files.front_mut() else {
                match open(&self.current)? {
                    Some(file) => self.files.push_back(BufReader::new(file)),
                    None => return Ok(None),
                }
                continue;
            };
            file.read_until(b'\n', &mut self.begun)?;
            if self.begun.last() == Some(&b'\n') {
                self.begun.pop();
                return Ok(Some(std::mem::take(&mut self.begun)));
            }
            if self.files.len() > 1 {
                self.files.pop_front();
                // A line without an end in a file that nobody writes any more.
                match self.rest() {
                    Some(torn) => return Ok(Some(torn)),
                    None => continue,
                }
            }
            // What was written between the last read and the rotation is read in the next round.
            match self.successor()? {
                Some(file) => self.files.push_back(BufReader::new(file)),
                None => return Ok(None),
            }
        }
    }

    /// A line that has no end, for a reader that does not wait for it.
    pub(super) fn rest(&mut self) -> Option<Vec<u8>> {
        Some(std::mem::take(&mut self.begun)).filter(|line| !line.is_empty())
    }

    /// The file that has taken the place of the one that is read.
    fn successor(&self) -> io::Result<Option<File>> {
        let (Some(read), Some(file)) = (self.files.back(), open(&self.current)?) else {
            return Ok(None);
        };
        Ok((!is_same(read.get_ref(), &file)?).then_some(file))
    }
}

/// Opens the rotated and the current file, as of one moment.
fn open_both(current: &Path, rotated: &Path) -> io::Result<(Option<File>, Option<File>)> {
    loop {
        let new = open(current)?;
        let old = open(rotated)?;
        match (&old, &new) {
            // Rotated in between.
            (Some(old), Some(new)) if is_same(old, new)? => {}
            _ => return Ok((old, new)),
        }
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_same(one: &File, other: &File) -> io::Result<bool> {
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// Where the last `wanted` lines that count begin, and how many there are; fewer are the whole file.
fn last_lines(
    file: &File,
    wanted: usize,
    counts: &impl Fn(&[u8]) -> bool,
) -> io::Result<(u64, usize)> {
    let mut start = file.metadata()?.len();
    let (mut at, mut found) = (start, 0);
    let mut ahead = Vec::new();
    while found < wanted && start > 0 {
        let size = start.min(BLOCK);
        start -= size;
        let mut block = vec![0; size as usize];
        file.read_exact_at(&mut block, start)?;
        block.append(&mut ahead);
        let mut end = block.len();
        while found < wanted && end > 0 {
            let newline = block[..end].iter().rposition(|byte| *byte == b'\n');
            // A line begins after another one, or at the beginning of the file.
            let Some(line) = newline.map(|at| at + 1).or((start == 0).then_some(0)) else { break };
            if counts(&block[line..end]) {
                found += 1;
                at = start + line as u64;
            }
            end = line.saturating_sub(1);
        }
        block.truncate(end);
        ahead = block;
    }
    Ok((if found < wanted { 0 } else { at }, found))
}
