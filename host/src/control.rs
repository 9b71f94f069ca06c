//! The control socket's language: a request of fixed size, a reply of a status and a text. What a
//! request does is the supervisor's business; how a reply is shown, the command line's.

use std::fs::{self, File, Permissions};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use nix::unistd::Gid;

use crate::sys;

/// The socket's name in the runtime directory.
pub(crate) const NAME: &str = "control";
const MAGIC: [u8; 8] = *b"exeuntC1";
/// The size of a request on the wire.
pub(crate) const REQUEST_SIZE: usize = 32;
const REPLY_MAX: u32 = 1 << 20;

/// What a client of the daemon may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// The daemon and its generations, as JSON.
    Status,
    /// End the daemon; with `grace` milliseconds for the sessions, or as configured. The connection
    /// stays open until the daemon is gone.
    Stop { grace: Option<u64> },
    /// End the session with that number.
    Kick { session: u64 },
    /// Call a module's control action. A sealed memory file with the words comes along: what is in it
    /// is for the process that calls it alone.
    Call,
    /// Read the configuration and the modules again; or go back to the generation before.
    Reload { previous: bool },
}

impl Request {
    /// The request as it is sent.
    pub(crate) fn encode(self) -> [u8; REQUEST_SIZE] {
        let (op, argument) = match self {
            Request::Status => (1u32, 0),
            Request::Stop { grace } => (2, grace.unwrap_or(u64::MAX)),
            Request::Kick { session } => (3, session),
            Request::Reload { previous } => (4, u64::from(previous)),
            Request::Call => (5, 0),
        };
        let mut bytes = [0; REQUEST_SIZE];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&op.to_le_bytes());
        bytes[16..24].copy_from_slice(&argument.to_le_bytes());
        bytes
    }

    /// The request that the bytes are, if they are one.
    pub(crate) fn decode(bytes: &[u8; REQUEST_SIZE]) -> Option<Self> {
        let op = u32::from_le_bytes(bytes[8..12].try_into().ok()?);
        let argument = u64::from_le_bytes(bytes[16..24].try_into().ok()?);
        let rest_is_empty = bytes[12..16].iter().chain(&bytes[24..]).all(|b| *b == 0);
        if bytes[..8] != MAGIC || !rest_is_empty {
            return None;
        }
        match op {
            1 => Some(Request::Status),
            2 => Some(Request::Stop { grace: Some(argument).filter(|ms| *ms != u64::MAX) }),
            3 => Some(Request::Kick { session: argument }),
            4 => Some(Request::Reload { previous: argument == 1 }),
            5 => Some(Request::Call),
            _ => None,
        }
    }

    /// Whether it changes something, so that only root and the daemon's own user may ask.
    pub(crate) fn changes(self) -> bool {
        !matches!(self, Request::Status)
    }
}

/// The daemon's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Whether it was done.
    pub(crate) done: bool,
    /// Whether it was refused because of the configuration or a module.
    pub(crate) unusable: bool,
    /// JSON, or a sentence for people.
    pub(crate) text: String,
}

impl Reply {
    /// It was done.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self { done: true, unusable: false, text: text.into() }
    }

    /// It was refused, and why.
    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self { done: false, unusable: false, text: text.into() }
    }

    /// The configuration or a module was refused, and why.
    pub(crate) fn unusable(text: impl Into<String>) -> Self {
        Self { done: false, unusable: true, text: text.into() }
    }

    /// Writes the reply. A client that has gone is nobody's concern; one that does not read gets as
    /// much as its socket takes.
    pub(crate) fn send(&self, mut to: &UnixStream) {
        let mut bytes = vec![match self {
            Reply { done: true, .. } => 0,
            Reply { unusable: true, .. } => 4,
            _ => 1,
        }];
        bytes.extend((self.text.len() as u32).to_le_bytes());
        bytes.extend(self.text.as_bytes());
        let _gone = to.write_all(&bytes);
    }

    /// Reads a reply.
    pub(crate) fn receive(mut from: &UnixStream) -> io::Result<Self> {
        let mut head = [0; 5];
        from.read_exact(&mut head)?;
        let len = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        if len > REPLY_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the reply is too long"));
        }
        let mut text = vec![0; len as usize];
        from.read_exact(&mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(Self { done: head[0] == 0, unusable: head[0] == 4, text })
    }
}

/// Opens a directory for reaching what lies in it: a socket's path holds 108 bytes only.
fn directory(path: &Path) -> io::Result<OwnedFd> {
    let options = libc::O_DIRECTORY | libc::O_PATH;
    Ok(File::options().read(true).custom_flags(options).open(path)?.into())
}

/// Connects to the daemon of a runtime directory and sends a request.
pub(crate) fn ask(runtime_dir: &Path, request: Request) -> io::Result<UnixStream> {
    let mut stream = connect(runtime_dir)?;
    stream.write_all(&request.encode())?;
    Ok(stream)
}

fn connect(runtime_dir: &Path) -> io::Result<UnixStream> {
    let dir = directory(runtime_dir)?;
    UnixStream::connect(format!("/proc/self/fd/{}/{NAME}", dir.as_raw_fd()))
}

/// The most bytes of the words of a call, each with its end.
pub(crate) const WORDS_MAX: usize = 64 * 1024;

/// Connects likewise, and asks for a control action: the words are its module, its name and its
/// arguments.
pub(crate) fn call(runtime_dir: &Path, words: &[String]) -> io::Result<UnixStream> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.bytes().chain([0])).collect();
    if bytes.len() > WORDS_MAX {
        let text = format!("the arguments have more than {WORDS_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let words = sealed(&bytes)?;
    let stream = connect(runtime_dir)?;
    let (request, rights) = (Request::Call.encode(), [words.as_raw_fd()]);
    let parts = [IoSlice::new(&request)];
    let rights = [ControlMessage::ScmRights(&rights)];
    let sent = sendmsg::<()>(stream.as_raw_fd(), &parts, &rights, MsgFlags::MSG_NOSIGNAL, None)?;
    if sent != REQUEST_SIZE {
        return Err(io::ErrorKind::WriteZero.into());
    }
    Ok(stream)
}

fn sealed(bytes: &[u8]) -> io::Result<File> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let mut file: File = memfd_create(c"exeunt-call", flags)?.into();
    file.write_all(bytes)?;
    fcntl(&file, FcntlArg::F_ADD_SEALS(SEALS))?;
    Ok(file)
}

const SEALS: SealFlag = SealFlag::F_SEAL_WRITE
    .union(SealFlag::F_SEAL_GROW)
    .union(SealFlag::F_SEAL_SHRINK)
    .union(SealFlag::F_SEAL_SEAL);

/// Reads the words of a call, in the process that is there for it: module, action, arguments.
pub(crate) fn words(file: OwnedFd) -> io::Result<Vec<String>> {
    let strange = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    // Only a file in memory has seals: reading anything else might wait, or have an effect.
    let seals = fcntl(&file, FcntlArg::F_GET_SEALS).map_err(|_| strange("no file in memory"))?;
    if !SealFlag::from_bits_retain(seals).contains(SEALS) {
        return Err(strange("they could still be changed"));
    }
    let (file, mut bytes) = (File::from(file), vec![0; WORDS_MAX + 1]);
    let length = file.read_at(&mut bytes, 0)?;
    if length > WORDS_MAX {
        return Err(strange("they are too long"));
    }
    let text = std::str::from_utf8(&bytes[..length]).map_err(|_| strange("they are no UTF-8"))?;
    Ok(text.split_terminator('\0').map(str::to_owned).collect())
}

/// Receives a part of a request, without waiting, and a descriptor if one came with it. Of more than
/// one the kernel closes the others.
pub(crate) fn receive(from: &UnixStream, to: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = nix::cmsg_space!(RawFd);
    let mut parts = [IoSliceMut::new(to)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT;
    let got = recvmsg::<()>(from.as_raw_fd(), &mut parts, Some(&mut space), flags)?;
    let with = got.cmsgs()?.find_map(|part| match part {
        ControlMessageOwned::ScmRights(numbers) => sys::adopt(*numbers.first()?).ok(),
        _ => None,
    });
    Ok((got.bytes, with))
}

/// Creates the socket in the runtime directory; the caller holds the daemon's lock, so that one that
/// is there is stale.
///
/// Without a group it is the daemon's user's alone; the members of `group` may connect, too.
pub(crate) fn listen(runtime_dir: &Path, group: Option<Gid>) -> io::Result<UnixListener> {
    let dir = directory(runtime_dir)?;
    let path = format!("/proc/self/fd/{}/{NAME}", dir.as_raw_fd());
    match fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(
        &path,
        Permissions::from_mode(if group.is_some() { 0o660 } else { 0o600 }),
    )?;
    std::os::unix::fs::chown(&path, None, group.map(Gid::as_raw))?;
    Ok(listener)
}

/// Removes the socket.
pub(crate) fn remove(runtime_dir: &Path) {
    let _gone = fs::remove_file(runtime_dir.join(NAME));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_arrives_as_it_was_sent() {
        for request in [
            Request::Status,
            Request::Stop { grace: None },
            Request::Stop { grace: Some(0) },
            Request::Kick { session: 17 },
            Request::Call,
            Request::Reload { previous: true },
        ] {
            assert_eq!(Request::decode(&request.encode()), Some(request));
        }
    }

    #[test]
    fn anything_else_is_no_request() {
        let mut bytes = Request::Status.encode();
        bytes[31] = 1;
        assert_eq!(Request::decode(&bytes), None);
        assert_eq!(Request::decode(&[0; REQUEST_SIZE]), None);
    }

    #[test]
    fn words_arrive_as_they_were_written_and_only_sealed() {
        let bytes = b"ftp\0quota\0\0a b\0";
        let read = words(sealed(bytes).expect("a file").into()).expect("words");
        assert_eq!(read, ["ftp", "quota", "", "a b"]);
        assert!(words(tempfile::tempfile().expect("a file").into()).is_err());
        let open = memfd_create(c"open", MFdFlags::MFD_ALLOW_SEALING).expect("a file");
        assert!(words(open).is_err());
        assert!(words(sealed(&[b'a'; WORDS_MAX + 1]).expect("a file").into()).is_err());
        assert!(words(sealed(b"\xff\0").expect("a file").into()).is_err());
    }
}
