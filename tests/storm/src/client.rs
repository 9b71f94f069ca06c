//! A client that connects from an address of its own, by which it is known again in the trace.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use nix::libc::linger;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

/// How long an answer may take, in seconds.
const PATIENCE: u64 = 30;

/// A connection. Dropped, it closes.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
}

/// The next address of this machine that no client had.
#[must_use]
pub fn next_address() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0x7f01_0000);
    Ipv4Addr::from(NEXT.fetch_add(1, Relaxed))
}

impl Client {
    /// Connects from an address of this machine.
    ///
    /// # Errors
    ///
    /// The connection is not made.
    pub fn connect(from: Ipv4Addr, port: u16) -> io::Result<Self> {
        let kind = (AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC);
        let socket = socket(kind.0, kind.1, kind.2, None)?;
        let patience = TimeVal::seconds(PATIENCE.cast_signed());
        setsockopt(&socket, sockopt::SendTimeout, &patience)?;
        setsockopt(&socket, sockopt::ReuseAddr, &true)?;
        bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(from, 0)))?;
        let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        connect(socket.as_raw_fd(), &SockaddrIn::from(to))?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(Duration::from_secs(PATIENCE)))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// The next line, which must begin so.
    ///
    /// # Errors
    ///
    /// Another line comes, or none.
    pub fn expect(&mut self, begin: &str) -> Result<String, String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => Err(format!("the connection ended instead of {begin}")),
            Ok(_) if line.starts_with(begin) => Ok(line.trim_end().to_owned()),
            Ok(_) => Err(format!("{:?} came instead of {begin}", line.trim_end())),
            Err(e) => Err(format!("{e} instead of {begin}")),
        }
    }

    /// Sends a line, and expects an answer that begins so.
    ///
    /// # Errors
    ///
    /// Another answer comes, or none.
    pub fn ask(&mut self, line: &str, begin: &str) -> Result<String, String> {
        self.send(line)?;
        self.expect(begin)
    }

    /// Sends a line.
    ///
    /// # Errors
    ///
    /// It cannot be sent.
    pub fn send(&mut self, line: &str) -> Result<(), String> {
        let line = format!("{line}\r\n");
        let sent = self.stream.get_mut().write_all(line.as_bytes());
        sent.map_err(|e| format!("{e} when {line:?} was sent"))
    }

    /// The number of the settings that the daemon greets with.
    ///
    /// # Errors
    ///
    /// It does not greet.
    pub fn greeting(&mut self) -> Result<u64, String> {
        let line = self.expect("220 storm ")?;
        line["220 storm ".len()..].parse().map_err(|_| format!("greeted with {line:?}"))
    }

    /// Logs in.
    ///
    /// # Errors
    ///
    /// It is not let in.
    pub fn log_in(&mut self) -> Result<(), String> {
        self.ask("USER ftp", "331")?;
        self.ask("PASS storm", "230").map(drop)
    }

    /// Leaves in good order, and sees the connection end.
    ///
    /// # Errors
    ///
    /// The farewell does not come, or something else does.
    pub fn quit(mut self) -> Result<(), String> {
        self.ask("QUIT", "221")?;
        self.end()
    }

    /// Sees the connection end.
    ///
    /// # Errors
    ///
    /// It does not, or something else comes.
    pub fn end(mut self) -> Result<(), String> {
        match self.stream.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err("something came after the farewell".to_owned()),
            Err(e) => Err(format!("{e} after the farewell")),
        }
    }

    /// Closes the connection with a reset.
    ///
    /// # Errors
    ///
    /// It cannot be.
    pub fn reset(self) -> Result<(), String> {
        let no_linger = linger { l_onoff: 1, l_linger: 0 };
        setsockopt(self.stream.get_ref(), sockopt::Linger, &no_linger).map_err(|e| e.to_string())
    }
}
