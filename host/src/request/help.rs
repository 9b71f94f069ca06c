//! Asking for a root helper: a session sends the zygote the number of an authenticator and one end of a
//! socket, whose other end it keeps. The zygote gives its end to the helper that it forks, or closes it:
//! then there is no help. What goes over that socket, and with it the secret, the zygote never sees.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType,
    UnixCredentials, recvmsg, sendmsg, socketpair,
};

use super::Desk;
use crate::sys;

/// The bytes of a plea: the session's number, and that of the authenticator in the plan.
const SIZE: usize = 12;

/// The most descriptors that the kernel lets come with one message.
const SCM_MAX_FD: usize = 253;

/// A session that asks for a helper.
#[derive(Debug)]
pub(crate) struct Plea {
    /// The process that asks, as the kernel says.
    pub(crate) sender: i32,
    /// The session that it says it is.
    pub(crate) session: u64,
    /// Which authenticator it means.
    pub(crate) authenticator: usize,
    /// Where the helper hears and answers.
    pub(crate) socket: OwnedFd,
}

impl Desk {
    /// The next plea. What is none is dropped, with whatever came with it.
    pub(crate) fn next_plea(&self) -> Option<Plea> {
        loop {
            let mut words = [0; SIZE + 1];
            // Room for as many as one message can bring: what finds none would stay open here.
            let mut space = nix::cmsg_space!(UnixCredentials, [RawFd; SCM_MAX_FD]);
            let mut parts = [IoSliceMut::new(&mut words)];
            let flags = MsgFlags::MSG_CMSG_CLOEXEC;
            let got = recvmsg::<()>(self.zygote.as_raw_fd(), &mut parts, Some(&mut space), flags);
            let got = match got {
                Ok(got) => got,
                Err(Errno::EINTR) => continue,
                Err(_) => return None,
            };
            let (mut sender, mut sockets) = (None, Vec::new());
            for part in got.cmsgs().into_iter().flatten() {
                match part {
                    ControlMessageOwned::ScmCredentials(from) => sender = Some(from.pid()),
                    ControlMessageOwned::ScmRights(numbers) => {
                        sockets.extend(numbers.into_iter().filter_map(|n| sys::adopt(n).ok()));
                    }
                    _ => {}
                }
            }
            let length = got.bytes;
            let words = (length == SIZE).then_some(&words);
            if let (Some(sender), Some(words), Ok([socket])) =
                (sender, words, <[OwnedFd; 1]>::try_from(sockets))
            {
                let (mut session, mut number) = ([0; 8], [0; 4]);
                session.copy_from_slice(&words[..8]);
                number.copy_from_slice(&words[8..SIZE]);
                let session = u64::from_ne_bytes(session);
                let authenticator = u32::from_ne_bytes(number) as usize;
                return Some(Plea { sender, session, authenticator, socket });
            }
        }
    }
}

/// Asks at the desk for a helper; the socket over which it will be heard. `EAGAIN` while there is no
/// room: others are asking, too.
pub(crate) fn plead(desk: RawFd, session: u64, authenticator: usize) -> Result<OwnedFd, Errno> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let (mine, its) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
    let mut words = [0; SIZE];
    words[..8].copy_from_slice(&session.to_ne_bytes());
    words[8..].copy_from_slice(&(authenticator as u32).to_ne_bytes());
    let rights = [its.as_raw_fd()];
    let with = [ControlMessage::ScmRights(&rights)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    sendmsg::<()>(desk, &[IoSlice::new(&words)], &with, flags, None)?;
    Ok(mine)
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::recv;

    use super::*;

    #[test]
    fn a_plea_comes_with_one_socket_that_leads_back() {
        let desk = Desk::new().expect("a socket pair");
        let mine = plead(desk.for_sessions(), 42, 3).expect("asked");
        let plea = desk.next_plea().expect("a plea");
        assert_eq!((plea.session, plea.authenticator), (42, 3));
        assert_eq!(plea.sender, std::process::id().cast_signed());
        nix::unistd::write(&plea.socket, b"x").expect("written");
        assert_eq!(nix::unistd::read(&mine, &mut [0; 2]), Ok(1));
    }

    #[test]
    fn what_is_no_plea_is_dropped_with_its_descriptors() {
        let desk = Desk::new().expect("a socket pair");
        let flags = SockFlag::SOCK_CLOEXEC;
        let pair = || socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags);
        let (mine, its) = pair().expect("a pair");
        let send = |words: &[u8], rights: &[RawFd]| {
            let with = [ControlMessage::ScmRights(rights)];
            let with = if rights.is_empty() { &[][..] } else { &with };
            sendmsg::<()>(
                desk.for_sessions(),
                &[IoSlice::new(words)],
                with,
                MsgFlags::empty(),
                None,
            )
            .expect("sent");
        };
        let number = its.as_raw_fd();
        send(&[0; SIZE], &[]);
        send(&[0; SIZE], &[number, number]);
        send(&[0; SIZE], &[number; SCM_MAX_FD]);
        send(&[0; SIZE + 1], &[number]);
        send(b"short", &[number]);
        drop(its);
        assert!(desk.next_plea().is_none());
        let answer = recv(mine.as_raw_fd(), &mut [0], MsgFlags::MSG_DONTWAIT);
        assert_eq!(answer, Ok(0), "nobody holds the other end");
    }
}
