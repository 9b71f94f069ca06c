//! The state of a process that a listener must leave as it found it: identity, umask, working
//! directory, signal mask, the host's descriptors. One that does not has spoilt the process for those
//! that come after it; they get a clean one.

use std::os::fd::RawFd;

use nix::sys::signal::SigSet;
use nix::sys::stat::{Mode, stat, umask};
use nix::unistd::{getegid, geteuid};

use crate::sys;

/// What a process was like at one moment.
pub(crate) struct Posture {
    ids: (u32, u32),
    umask: Mode,
    /// Device and inode; none if it has no working directory that it may look at.
    directory: Option<(u64, u64)>,
    mask: Option<SigSet>,
    open: Vec<RawFd>,
}

impl Posture {
    /// What this process is like now; `descriptors` are those that the host needs.
    pub(crate) fn now(descriptors: &[RawFd]) -> Self {
        let mask = umask(Mode::empty());
        umask(mask);
        Self {
            ids: (geteuid().as_raw(), getegid().as_raw()),
            umask: mask,
            directory: stat(".").ok().map(|about| (about.st_dev, about.st_ino)),
            mask: SigSet::thread_get_mask().ok(),
            open: descriptors.iter().copied().filter(|number| sys::is_open(*number)).collect(),
        }
    }

    /// What is not as it was; nothing if all is.
    pub(crate) fn changed(&self) -> Option<&'static str> {
        let now = Self::now(&self.open);
        if now.ids != self.ids {
            Some("another user or group")
        } else if now.umask != self.umask {
            Some("another umask")
        } else if now.directory != self.directory {
            Some("another working directory")
        } else if now.mask != self.mask {
            Some("another signal mask")
        } else if now.open != self.open {
            Some("descriptors of the host closed")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn a_process_that_nobody_touched_has_not_changed() {
        assert_eq!(Posture::now(&[0, 1, 2]).changed(), None);
    }

    #[test]
    fn a_descriptor_that_is_gone_is_noticed() {
        let file = File::open("/dev/null").expect("a file");
        // A number that no other test opens meanwhile.
        let number = nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(4000));
        let number = sys::adopt(number.expect("a copy")).expect("open");
        let posture = Posture::now(&[number.as_raw_fd()]);
        drop(number);
        assert_eq!(posture.changed(), Some("descriptors of the host closed"));
    }
}
