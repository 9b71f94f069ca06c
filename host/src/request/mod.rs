//! What a session may ask of its zygote: fixed words over one socket for the whole generation. The
//! kernel names the sender, so that a session can only speak for itself. The answer is a word on the
//! session's identity page, which the zygote alone can write, and a wake-up. What is granted, and what
//! follows from it, is decided in the zygote.

mod asker;
mod help;
mod wire;

use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use exeunt_ledger::Identity;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixCredentials, recvmsg,
    setsockopt, socketpair, sockopt,
};
use rustix::thread::futex;
use std::sync::atomic::Ordering::Release;

pub(crate) use asker::{Asker, NoAnswer};
pub(crate) use help::{Plea, plead};
pub(crate) use wire::Request;
use wire::{SIZE, Wire};

/// What the zygote says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// [`Answer::GRANTED`], or the number of the cause why not.
    pub(crate) code: u16,
    /// What there is to say about it.
    pub(crate) detail: String,
}

impl Answer {
    /// It is as was asked.
    pub(crate) const GRANTED: u16 = 0;
    /// It is not so: what was asked makes no sense.
    pub(crate) const NONSENSE: u16 = u16::MAX;
    /// Answers the request with that number.
    pub(crate) fn give(identity: &Identity, sequence: u16, code: u16, detail: &str) {
        identity.answer_detail.set(detail);
        identity.answer.store(u32::from(sequence) << 16 | u32::from(code), Release);
        // Nobody waits if the session is gone, or does not look yet.
        let _woken = futex::wake(&identity.answer, futex::Flags::empty(), 1);
    }

    /// The answer to the request with that number, if the word is one.
    fn read(identity: &Identity, word: u32, sequence: u16) -> Option<Self> {
        let is_it = word >> 16 == u32::from(sequence);
        is_it.then(|| Self { code: word as u16, detail: identity.answer_detail.get() })
    }
}

/// A request as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The process that asks, as the kernel says.
    pub(crate) sender: i32,
    /// The session that it says it is.
    pub(crate) session: u64,
    /// What the answer is to be marked with.
    pub(crate) sequence: u16,
    pub(crate) request: Request,
}

/// Where sessions ask: the zygote's end, and the one that every session has.
pub(crate) struct Desk {
    zygote: OwnedFd,
    sessions: OwnedFd,
}

impl Desk {
    pub(crate) fn new() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let (zygote, sessions) = socketpair(AddressFamily::Unix, SockType::Datagram, None, flags)?;
        setsockopt(&zygote, sockopt::PassCred, &true)?;
        Ok(Self { zygote, sessions })
    }

    /// The descriptor that sessions send to.
    pub(crate) fn for_sessions(&self) -> RawFd {
        self.sessions.as_raw_fd()
    }

    /// The next request that has come. What is none is dropped, and so is one that came with descriptors: there is no
    /// room for them.
    pub(crate) fn next_request(&self) -> Option<Asked> {
        loop {
            let mut words = [0; SIZE + 1];
            let mut space = nix::cmsg_space!(UnixCredentials);
            let mut parts = [IoSliceMut::new(&mut words)];
            let got = recvmsg::<()>(
                self.zygote.as_raw_fd(),
                &mut parts,
                Some(&mut space),
                MsgFlags::empty(),
            );
            let (length, sender) = match got {
                Ok(got) => (
                    got.bytes,
                    got.cmsgs().ok().and_then(|mut parts| parts.find_map(|part| pid(&part))),
                ),
                Err(Errno::EINTR) => continue,
                Err(_) => return None,
            };
            if let (Some(sender), Some(wire)) = (sender, Wire::decode(&words[..length])) {
                let Wire { sequence, session, request } = wire;
                return Some(Asked { sender, session, sequence, request });
            }
        }
    }
}

fn pid(part: &ControlMessageOwned) -> Option<i32> {
    match part {
        ControlMessageOwned::ScmCredentials(sender) => Some(sender.pid()),
        _ => None,
    }
}

impl AsRawFd for Desk {
    fn as_raw_fd(&self) -> RawFd {
        self.zygote.as_raw_fd()
    }
}

#[cfg(test)]
mod tests;
