//! What a session may ask of its zygote: fixed words over one socket for the whole generation. The
//! kernel names the sender, so that a session can only speak for itself.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixCredentials, recvmsg,
    setsockopt, socketpair, sockopt,
};

/// This session is no longer to be counted by the limits.
pub(crate) const LEAVE: [u8; 8] = *b"leave\0\0\0";

/// The zygote's end, and the one that every session has.
pub(crate) struct Requests {
    zygote: OwnedFd,
    sessions: OwnedFd,
}

impl Requests {
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

    /// The process that sent the next request to leave; requests of any other kind are dropped.
    pub(crate) fn next(&self) -> Option<i32> {
        loop {
            let mut word = [0; 8];
            let mut space = nix::cmsg_space!(UnixCredentials);
            let mut parts = [IoSliceMut::new(&mut word)];
            let got = recvmsg::<()>(
                self.zygote.as_raw_fd(),
                &mut parts,
                Some(&mut space),
                MsgFlags::empty(),
            );
            let sender = match got {
                Ok(got) => got.cmsgs().ok()?.find_map(|part| match part {
                    ControlMessageOwned::ScmCredentials(sender) => Some(sender.pid()),
                    _ => None,
                }),
                Err(Errno::EINTR) => continue,
                Err(_) => return None,
            };
            if word == LEAVE && sender.is_some() {
                return sender;
            }
        }
    }
}

impl AsRawFd for Requests {
    fn as_raw_fd(&self) -> RawFd {
        self.zygote.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_its_sender_and_anything_else_is_dropped() {
        let requests = Requests::new().expect("a socket pair");
        for word in [*b"nonsense", LEAVE] {
            nix::unistd::write(&requests.sessions, &word).expect("sent");
        }
        assert_eq!(requests.next(), Some(std::process::id().cast_signed()));
        assert_eq!(requests.next(), None);
    }
}
