//! What tests do with sockets that no FTP client does.

use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;

use nix::sys::socket::{MsgFlags, send, setsockopt, sockopt};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

/// Connects from one of the addresses of this machine.
#[track_caller]
pub(crate) fn connect_from(own: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&socket, &SocketAddr::from((own, 0))).expect("the address is one of this machine");
    connect(&socket, &to).expect("the server listens");
    TcpStream::from(socket)
}

/// How much still comes until the connection ends, be it by a reset.
#[track_caller]
pub(crate) fn rest(data: &mut TcpStream) -> usize {
    let mut rest = Vec::new();
    match data.read_to_end(&mut rest) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => {
            panic!("the connection did not end: {error}")
        }
        _ => rest.len(),
    }
}

/// Closes a connection with a reset.
pub(crate) fn reset(data: TcpStream) {
    let no_linger = libc::linger { l_onoff: 1, l_linger: 0 };
    setsockopt(&data, sockopt::Linger, &no_linger).expect("linger can be set");
    drop(data);
}

/// Sends bytes the last of which is urgent.
#[track_caller]
pub(crate) fn send_urgently(stream: &TcpStream, bytes: &[u8]) {
    let sent = send(stream.as_raw_fd(), bytes, MsgFlags::MSG_OOB).expect("urgent data");
    assert_eq!(sent, bytes.len());
}
