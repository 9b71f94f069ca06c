//! What a candidate zygote tells about its start: a file in memory that the supervisor made. It holds
//! what the candidate is doing, so that a crash has a name, and in the end the plan or the refusal.
//! The supervisor shows the text and does not read it.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use nix::sys::memfd::{MFdFlags, memfd_create};

/// Room for what the candidate is doing.
const DOING: u64 = 512;
/// The longest plan or refusal.
const LONGEST: u64 = 4 << 20;

/// The report of one candidate.
pub(crate) struct Report(File);

impl Report {
    /// A new one, with nothing in it.
    pub(crate) fn new() -> io::Result<Self> {
        let file: File = memfd_create(c"exeunt-report", MFdFlags::MFD_CLOEXEC)?.into();
        file.set_len(DOING)?;
        Ok(Self(file))
    }

    pub(crate) fn adopt(fd: OwnedFd) -> Self {
        Self(fd.into())
    }

    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    /// Says what the candidate is about to do.
    pub(crate) fn doing(&self, text: &str) {
        let mut line = [0; DOING as usize];
        let len = text.floor_char_boundary(line.len() - 1);
        line[..len].copy_from_slice(&text.as_bytes()[..len]);
        // Without it a crash has no name; there is nobody to tell.
        let _unwritten = self.0.write_all_at(&line, 0);
    }

    /// Leaves the plan or the refusal.
    pub(crate) fn leave(&self, text: &str) -> io::Result<()> {
        self.0.write_all_at(text.as_bytes(), DOING)
    }

    /// What the candidate was doing last.
    pub(crate) fn was_doing(&self) -> String {
        let mut line = [0; DOING as usize];
        let _read = self.0.read_exact_at(&mut line, 0);
        let text = String::from_utf8_lossy(&line);
        text.trim_end_matches('\0').chars().filter(|c| !c.is_control()).collect()
    }

    /// The plan or the refusal.
    pub(crate) fn text(&self) -> io::Result<String> {
        let size = self.0.metadata()?.len().saturating_sub(DOING).min(LONGEST);
        let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        self.0.read_exact_at(&mut bytes, DOING)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_come_out_as_they_went_in() {
        let report = Report::new().expect("a file in memory");
        report.doing("loading module `a`");
        report.doing("init of module `b`");
        report.leave("refused\nfor a reason").expect("written");
        assert_eq!(report.was_doing(), "init of module `b`");
        assert_eq!(report.text().expect("read"), "refused\nfor a reason");
    }
}
