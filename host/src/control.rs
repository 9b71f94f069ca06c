//! The control socket's language: a request of fixed size, a reply of a status and a text. What a
//! request does is the supervisor's business; how a reply is shown, the command line's.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::unistd::Gid;

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
    let dir = directory(runtime_dir)?;
    let mut stream = UnixStream::connect(format!("/proc/self/fd/{}/{NAME}", dir.as_raw_fd()))?;
    stream.write_all(&request.encode())?;
    Ok(stream)
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
}
