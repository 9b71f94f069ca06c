//! Messages between the supervisor and a zygote: of fixed size, with descriptors where they carry
//! sockets. What they bring about is decided by the two roles.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, socketpair,
};

use crate::sys;

/// As many descriptors as one message can carry: three files and the sockets of the listens, or the
/// ledgers of the older generations.
pub(crate) const DESCRIPTORS: usize = 128;
const WORDS: usize = 6;
const SIZE: usize = 8 * WORDS;

/// Which of the daemon's events a generation begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// `core.startup`: the daemon has started.
    Startup,
    /// `core.restart`: a new generation takes over.
    Restart,
    /// None: this zygote goes on where one of the same generation died.
    Adoption,
    /// None: this zygote finishes what a daemon left that was killed.
    Replay,
}

/// What the two tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Zygote: one of its listens; all come before `Ready`.
    Listen { address: SocketAddr },
    /// Zygote: every module is initialised; the report holds the plan. What the supervisor has to
    /// know of the configuration comes along.
    Ready { capacity: u32, grace: u64, generations: u32 },
    /// Zygote: refused; the report says why.
    Refused,
    /// Supervisor: this is the generation's ledger, to write and to read, its scoreboard, and its
    /// listening sockets in the order of the listens.
    Commit(Beginning),
    /// Zygote: the first event has run; it can serve.
    Prepared,
    /// Supervisor: accept from now on; with the ledgers of the older generations that are living, to
    /// read. Sessions are numbered from `after + 1`.
    Accept { after: u64 },
    /// Supervisor: accept no more, until told otherwise.
    Pause,
    /// Zygote: it accepts no more.
    Paused,
    /// Supervisor: another generation serves; finish the sessions and leave.
    Retire,
    /// Supervisor: order the sessions to end after that many milliseconds, for that cause.
    Drain { grace: u64, cause: u32 },
    /// Zygote: no session is left.
    Empty,
    /// Supervisor: run `core.shutdown` and leave.
    Finish,
    /// Supervisor: end that session; `token` comes back with the answer.
    Kick { session: u64, token: u64 },
    /// Zygote: whether there was such a session.
    Kicked { found: bool, token: u64 },
    /// Supervisor: call a control action; the words of the call and the client's connection come with it.
    Call,
    /// Supervisor: the process that worked on that slot has died as its child; how, is in the ledger.
    Died { slot: u64 },
}

impl Message {
    fn encode(self) -> [u8; SIZE] {
        let words: [u64; WORDS] = match self {
            Message::Listen { address } => {
                let (kind, bits) = match address.ip() {
                    IpAddr::V4(ip) => (4, u128::from(ip.to_bits())),
                    IpAddr::V6(ip) => (6, ip.to_bits()),
                };
                let scope = if let SocketAddr::V6(v6) = address { v6.scope_id() } else { 0 };
                [1, kind, (bits >> 64) as u64, bits as u64, address.port().into(), scope.into()]
            }
            Message::Ready { capacity, grace, generations } => {
                [2, capacity.into(), grace, generations.into(), 0, 0]
            }
            Message::Refused => [3, 0, 0, 0, 0, 0],
            Message::Commit(beginning) => [4, beginning as u64, 0, 0, 0, 0],
            Message::Prepared => [5, 0, 0, 0, 0, 0],
            Message::Accept { after } => [6, after, 0, 0, 0, 0],
            Message::Pause => [7, 0, 0, 0, 0, 0],
            Message::Paused => [8, 0, 0, 0, 0, 0],
            Message::Retire => [9, 0, 0, 0, 0, 0],
            Message::Drain { grace, cause } => [10, grace, cause.into(), 0, 0, 0],
            Message::Empty => [11, 0, 0, 0, 0, 0],
            Message::Finish => [12, 0, 0, 0, 0, 0],
            Message::Kick { session, token } => [13, session, token, 0, 0, 0],
            Message::Kicked { found, token } => [14, found.into(), token, 0, 0, 0],
            Message::Died { slot } => [15, slot, 0, 0, 0, 0],
            Message::Call => [16, 0, 0, 0, 0, 0],
        };
        let mut bytes = [0; SIZE];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8; SIZE]) -> Option<Self> {
        let mut words = [0; WORDS];
        for (word, place) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(place.try_into().ok()?);
        }
        let [tag, a, b, c, d, e] = words;
        let short = |n: u64| u32::try_from(n).ok();
        Some(match tag {
            1 => Message::Listen { address: address(a, b, c, d, e)? },
            2 => Message::Ready { capacity: short(a)?, grace: b, generations: short(c)? },
            3 => Message::Refused,
            4 => Message::Commit(match a {
                0 => Beginning::Startup,
                1 => Beginning::Restart,
                2 => Beginning::Adoption,
                3 => Beginning::Replay,
                _ => return None,
            }),
            5 => Message::Prepared,
            6 => Message::Accept { after: a },
            7 => Message::Pause,
            8 => Message::Paused,
            9 => Message::Retire,
            10 => Message::Drain { grace: a, cause: short(b)? },
            11 => Message::Empty,
            12 => Message::Finish,
            13 => Message::Kick { session: a, token: b },
            14 => Message::Kicked { found: a == 1, token: b },
            15 => Message::Died { slot: a },
            16 => Message::Call,
            _ => return None,
        })
    }
}

fn address(kind: u64, high: u64, low: u64, port: u64, scope: u64) -> Option<SocketAddr> {
    let bits = u128::from(high) << 64 | u128::from(low);
    let port = u16::try_from(port).ok()?;
    match kind {
        4 => Some((Ipv4Addr::from_bits(u32::try_from(bits).ok()?), port).into()),
        6 => {
            let scope = u32::try_from(scope).ok()?;
            Some(SocketAddrV6::new(Ipv6Addr::from_bits(bits), port, 0, scope).into())
        }
        _ => None,
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
        let mut space = nix::cmsg_space!([RawFd; DESCRIPTORS]);
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
        a.send(Message::Commit(Beginning::Restart), &[0, 1]).expect("sent");
        let got = b.receive().expect("received");
        let Received::Message(Message::Commit(Beginning::Restart), with) = got else {
            panic!("another message");
        };
        assert_eq!(with.len(), 2);
    }

    #[test]
    fn every_message_is_read_as_it_was_sent() {
        let listen = |text: &str| Message::Listen { address: text.parse().expect("an address") };
        for message in [
            listen("127.0.0.1:21"),
            listen("[fe80::1%3]:2121"),
            Message::Ready { capacity: 4096, grace: 30_000, generations: 8 },
            Message::Drain { grace: 5, cause: 21 },
            Message::Kicked { found: true, token: 9 },
            Message::Died { slot: 17 },
            Message::Call,
        ] {
            assert_eq!(Message::decode(&message.encode()), Some(message));
        }
    }

    #[test]
    fn the_end_of_the_other_side_is_told_from_silence() {
        let (a, b) = Channel::pair().expect("a pair");
        assert!(matches!(b.receive(), Ok(Received::Nothing)));
        drop(a);
        assert!(matches!(b.receive(), Ok(Received::End)));
    }
}
