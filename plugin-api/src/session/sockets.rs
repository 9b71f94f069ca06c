//! Further connections of a session: listening, accepting, connecting.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_reuseaddr, socket_error};
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, acceptfrom_with, bind, connect, getsockname, listen,
    socket_with,
};

use super::{Session, Stream, Waiting};
use crate::{Error, Result};

/// How many clients may be waiting to be accepted.
const BACKLOG: i32 = 4;
const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

/// A listening socket of a session, from [`Session::listen_on`]. It is closed when it is dropped.
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(session: &Session<'_>) -> Result<()> {
/// let listener = session.listen_on([127, 0, 0, 1].into(), 0..=0)?;
/// session.log().debug(format!("expecting data on port {}", listener.local_addr().port()));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    local: SocketAddr,
}

impl Listener {
    /// The address and port that it listens on. \[anywhere\]
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(listener: &Listener) {
    /// let port = listener.local_addr().port();
    /// # }
    /// ```
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Session<'_> {
    /// Listens on an address, on a free port of the range, chosen at random; `0..=0` lets the kernel
    /// choose.
    ///
    /// # Errors
    ///
    /// No port of the range is free, or the address is not one of this machine.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// let local: std::net::SocketAddr = session.local().parse()?;
    /// let listener = session.listen_on(local.ip(), 49152..=49251)?;
    /// # Ok(()) }
    /// ```
    pub fn listen_on(&self, address: IpAddr, ports: RangeInclusive<u16>) -> Result<Listener> {
        let (first, last) = (u32::from(*ports.start()), u32::from(*ports.end()));
        let count = (last + 1).saturating_sub(first);
        let start = random() % count.max(1);
        for i in 0..count {
            let port = first + (start + i) % count;
            let wanted = SocketAddr::new(address, u16::try_from(port).unwrap_or_default());
            match listen_at(wanted) {
                Ok(listener) => return Ok(listener),
                Err(Errno::ADDRINUSE) => {}
                Err(error) => {
                    let what = format_args!("could not listen on {wanted}");
                    return Err(Error::system(what, error));
                }
            }
        }
        Err(Error::new(format_args!("no port from {first} to {last} is free on {address}")))
    }

    /// Accepts a connection and returns it with the address it comes from, which the caller must
    /// check; `None` when the time has passed (`None`: no limit).
    ///
    /// # Errors
    ///
    /// [`Error::Ending`]; or the system has no descriptor left.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>, listener: &Listener) -> Result<()> {
    /// let patience = Some(std::time::Duration::from_secs(30));
    /// match session.accept(listener, patience)? {
    ///     Some((data, peer)) => session.write_all(&data, peer.to_string().as_bytes()),
    ///     None => Err(Error::new("the client did not connect")),
    /// }
    /// # }
    /// ```
    pub fn accept(
        &self,
        listener: &Listener,
        timeout: Option<Duration>,
    ) -> Result<Option<(Stream, SocketAddr)>> {
        let end = moment_after(timeout);
        loop {
            match acceptfrom_with(listener, FLAGS) {
                Ok((socket, peer)) => {
                    let peer = peer.map(SocketAddr::try_from);
                    let Some(Ok(peer)) = peer else {
                        return Err(Error::new("the connection has no internet address"));
                    };
                    return Ok(Some((Stream::of_module(socket), peer)));
                }
                Err(Errno::AGAIN) => {
                    if !self.wait_until(Waiting::readable(listener), end)? {
                        return Ok(None);
                    }
                }
                // accept(2): the client went away before it was accepted.
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(error) => return Err(Error::system("could not accept a connection", error)),
            }
        }
    }

    /// Connects to an address.
    ///
    /// # Errors
    ///
    /// [`Error::Ending`]; the other side refuses, or the time has passed (`None`: the kernel's limit).
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// let patience = Some(std::time::Duration::from_secs(30));
    /// let data: Stream = session.connect("192.0.2.1:2000".parse()?, patience)?;
    /// # Ok(()) }
    /// ```
    pub fn connect(&self, peer: SocketAddr, timeout: Option<Duration>) -> Result<Stream> {
        let failed = |error| Error::system(format_args!("could not connect to {peer}"), error);
        let socket = open(peer).map_err(failed)?;
        match connect(&socket, &peer) {
            Ok(()) => return Ok(Stream::of_module(socket)),
            // connect(2): it goes on in the background; its result is an option of the socket.
            Err(Errno::INPROGRESS | Errno::INTR) => {}
            Err(error) => return Err(failed(error)),
        }
        if !self.wait_until(Waiting::writable(&socket), moment_after(timeout))? {
            return Err(failed(Errno::TIMEDOUT));
        }
        socket_error(&socket).and_then(|result| result).map_err(failed)?;
        Ok(Stream::of_module(socket))
    }
}

fn open(address: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    socket_with(family, SocketType::STREAM, FLAGS, None)
}

fn listen_at(address: SocketAddr) -> Result<Listener, Errno> {
    let socket = open(address)?;
    set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    let local = SocketAddr::try_from(getsockname(&socket)?)?;
    Ok(Listener { socket, local })
}

fn moment_after(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

/// A number that a client cannot foresee: std seeds its hashers from the system's random source.
fn random() -> u32 {
    let hash = RandomState::new().hash_one(Instant::now());
    u32::try_from(hash & u64::from(u32::MAX)).unwrap_or_default()
}
