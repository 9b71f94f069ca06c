//! The sockets that the daemon is started with, by systemd or in its manner. They are taken once, at
//! the start; which `[[listen]]` each belongs to is found out by its name or its address.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{OwnedFd, RawFd};

use nix::sys::socket::{SockType, getsockopt, sockopt};

use super::Failure;
use super::files::file_error;
use crate::sys;

/// What the daemon was started with.
pub(super) struct Passed {
    pub(super) sockets: Vec<(SocketAddr, TcpListener)>,
    pub(super) names: Vec<(String, SocketAddr)>,
}

/// Takes the sockets that were passed. Whatever else the starting program left open is closed: it is
/// none of the daemon's, nor of its sessions.
pub(super) fn take() -> Result<Passed, Failure> {
    let listed = sd_notify::listen_fds_with_names();
    let listed = listed.map_err(file_error("the sockets that were passed cannot be taken"))?;
    let listed: Vec<(RawFd, String)> = listed.collect();
    let keep: Vec<RawFd> = (0..=2).chain(listed.iter().map(|(number, _)| *number)).collect();
    sys::close_all_but(&keep).map_err(file_error("descriptors cannot be closed"))?;
    let mut passed = Passed { sockets: Vec::new(), names: Vec::new() };
    for (number, name) in listed {
        let name: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
        let (address, socket) = sys::adopt(number).and_then(listening).map_err(|e| {
            Failure::refused(format!(
                "error: descriptor {number} (`{name}`) that was passed to the daemon cannot be \
                 listened on: {e}\n  \
                 hint: the socket unit needs ListenStream= with an address and port, and Accept=no\n"
            ))
        })?;
        passed.sockets.push((address, socket));
        passed.names.push((name, address));
    }
    Ok(passed)
}

/// Whether a name that is written in `modules.toml` can have it.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn listening(descriptor: OwnedFd) -> io::Result<(SocketAddr, TcpListener)> {
    if getsockopt(&descriptor, sockopt::SockType)? != SockType::Stream {
        return Err(io::Error::other("it is not a socket for TCP"));
    }
    if !getsockopt(&descriptor, sockopt::AcceptConn)? {
        return Err(io::Error::other("it is not listening"));
    }
    let socket = TcpListener::from(descriptor);
    let address = socket.local_addr().map_err(|_| io::Error::other("it has no IP address"))?;
    Ok((address, socket))
}
