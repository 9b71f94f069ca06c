//! Messages between the supervisor and a zygote: of fixed size, with descriptors where they carry
//! sockets. What they bring about is decided by the two roles.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, socketpair,
};

use crate::sys;

/// The most listens of one daemon: as many descriptors as one message can carry.
pub(crate) const LISTENS: usize = 64;
const SIZE: usize = 24;

/// What the two tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Zygote: every module is initialised; the report holds nothing.
    Ready,
    /// Zygote: refused; the report says why.
    Refused,
    /// Supervisor: go on; the listening sockets come with it, in the order of the listens.
    Commit,
    /// Supervisor: end that session; `token` comes back with the answer.
    Kick { session: u64, token: u64 },
    /// Zygote: whether there was such a session.
    Kicked { found: bool, token: u64 },
    /// Supervisor: accept no more; order the sessions to end after that many milliseconds.
    Drain { grace: u64 },
    /// Zygote: no session is left and `core.shutdown` has run.
    Drained,
}

impl Message {
    fn encode(self) -> [u8; SIZE] {
        let (tag, a, b) = match self {
            Message::Ready => (1u64, 0, 0),
            Message::Refused => (2, 0, 0),
            Message::Commit => (3, 0, 0),
            Message::Kick { session, token } => (4, session, token),
            Message::Kicked { found, token } => (5, u64::from(found), token),
            Message::Drain { grace } => (6, grace, 0),
            Message::Drained => (7, 0, 0),
        };
        let mut bytes = [0; SIZE];
        for (word, number) in bytes.chunks_exact_mut(8).zip([tag, a, b]) {
            word.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8; SIZE]) -> Option<Self> {
        let word = |i: usize| bytes[i..i + 8].try_into().map(u64::from_le_bytes).ok();
        let (a, b) = (word(8)?, word(16)?);
        match word(0)? {
            1 => Some(Message::Ready),
            2 => Some(Message::Refused),
            3 => Some(Message::Commit),
            4 => Some(Message::Kick { session: a, token: b }),
            5 => Some(Message::Kicked { found: a == 1, token: b }),
            6 => Some(Message::Drain { grace: a }),
            7 => Some(Message::Drained),
            _ => None,
        }
    }
}

/// One end of the conversation.
pub(crate) struct Channel(OwnedFd);

/// What was received.
pub(crate) enum Received {
    /// A message and the descriptors that came with it.
    Message(Message, Vec<OwnedFd>),
    /// Nothing now.
    Nothing,
    /// The other side is gone.
    End,
}

impl Channel {
    /// Both ends of a new conversation.
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let (a, b) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        Ok((Self(a), Self(b)))
    }

    /// The end that this process was started with.
    pub(crate) fn adopt(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Sends a message.
    pub(crate) fn send(&self, message: Message, with: &[RawFd]) -> io::Result<()> {
        let rights = [ControlMessage::ScmRights(with)];
        let rights = if with.is_empty() { &rights[..0] } else { &rights[..] };
        let bytes = message.encode();
        sendmsg::<()>(
            self.0.as_raw_fd(),
            &[IoSlice::new(&bytes)],
            rights,
            MsgFlags::MSG_NOSIGNAL,
            None,
        )?;
        Ok(())
    }

    /// Receives what is there, without waiting.
    pub(crate) fn receive(&self) -> io::Result<Received> {
        let mut bytes = [0; SIZE];
        let mut space = nix::cmsg_space!([RawFd; LISTENS]);
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let (len, rights) =
            match recvmsg::<()>(self.0.as_raw_fd(), &mut parts, Some(&mut space), flags) {
                Ok(got) => {
                    let mut rights = Vec::new();
                    for part in got.cmsgs()? {
                        if let ControlMessageOwned::ScmRights(numbers) = part {
                            rights.extend(numbers.into_iter().filter_map(|n| sys::adopt(n).ok()));
                        }
                    }
                    (got.bytes, rights)
                }
                Err(Errno::EAGAIN | Errno::EINTR) => return Ok(Received::Nothing),
                Err(Errno::ECONNRESET) => return Ok(Received::End),
                Err(e) => return Err(e.into()),
            };
        if len == 0 {
            return Ok(Received::End);
        }
        match Message::decode(&bytes) {
            Some(message) if len == SIZE => Ok(Received::Message(message, rights)),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a message of another kind")),
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Channel {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_with_its_descriptors() {
        let (a, b) = Channel::pair().expect("a pair");
        a.send(Message::Commit, &[0, 1]).expect("sent");
        let Received::Message(Message::Commit, with) = b.receive().expect("received") else {
            panic!("another message");
        };
        assert_eq!(with.len(), 2);
    }

    #[test]
    fn the_end_of_the_other_side_is_told_from_silence() {
        let (a, b) = Channel::pair().expect("a pair");
        assert!(matches!(b.receive(), Ok(Received::Nothing)));
        drop(a);
        assert!(matches!(b.receive(), Ok(Received::End)));
    }
}
