//! A client of a listen: lines in, lines out, and the ways to leave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddrV4, TcpStream, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, setsockopt, socket, sockopt,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to the daemon. Dropped, it closes.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects.
    #[track_caller]
    pub(crate) fn to(address: impl ToSocketAddrs) -> Self {
        Self::over(TcpStream::connect(address).expect("the daemon listens"))
    }

    /// Connects from one of this machine's addresses.
    #[track_caller]
    pub(crate) fn from(own: &str, address: (&str, u16)) -> Self {
        let address_of = |(ip, port): (&str, u16)| -> SocketAddrV4 {
            SocketAddrV4::new(ip.parse().expect("an address"), port)
        };
        let kind = (AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC);
        let socket = socket(kind.0, kind.1, kind.2, None).expect("a socket can be made");
        bind(socket.as_raw_fd(), &SockaddrIn::from(address_of((own, 0)))).expect("it can be bound");
        let to = SockaddrIn::from(address_of(address));
        connect(socket.as_raw_fd(), &to).expect("the daemon listens");
        Self::over(socket.into())
    }

    /// Speaks over a connection that is there already.
    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.set_nodelay(true).expect("the delay can be switched off");
        Self { stream: BufReader::new(stream) }
    }

    /// Sends a line.
    #[track_caller]
    pub(crate) fn send(&mut self, line: &str) {
        let line = format!("{line}\r\n");
        self.stream().write_all(line.as_bytes()).expect("the daemon takes a line");
    }

    /// The next line, without its end.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line);
        match read {
            Ok(0) => panic!("the connection ended instead of a line"),
            Ok(_) => line.trim_end_matches(['\r', '\n']).to_owned(),
            Err(e) => panic!("no line came: {e} (after {line:?})"),
        }
    }

    /// The next line, or the last one of the next reply of several lines, which begins so.
    #[track_caller]
    pub(crate) fn expect(&mut self, begin: &str) -> String {
        let mut line = self.line();
        assert!(line.starts_with(begin), "expected {begin:?}, not {line:?}");
        if let Some((code, _)) = line.split_once('-').filter(|(code, _)| is_code(code)) {
            let last = format!("{code} ");
            while !line.starts_with(&last) {
                line = self.line();
            }
        }
        line
    }

    /// Sends a line, and expects an answer that begins so.
    #[track_caller]
    pub(crate) fn ask(&mut self, line: &str, begin: &str) -> String {
        self.send(line);
        self.expect(begin)
    }

    /// Everything that still comes until the connection ends, be it by a reset.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Err(e) if e.kind() != std::io::ErrorKind::ConnectionReset => {
                panic!("the connection did not end: {e}")
            }
            _ => String::from_utf8_lossy(&rest).into_owned(),
        }
    }

    /// Nothing more comes: the daemon has closed the connection.
    #[track_caller]
    pub(crate) fn eof(&mut self) {
        assert_eq!(self.rest(), "", "the connection was to end");
    }

    /// Closes the connection.
    pub(crate) fn close(self) {
        drop(self);
    }

    /// Closes the connection with a reset.
    pub(crate) fn reset(self) {
        let no_linger = libc::linger { l_onoff: 1, l_linger: 0 };
        setsockopt(self.stream.get_ref(), sockopt::Linger, &no_linger).expect("linger can be set");
    }

    /// The connection itself.
    pub(crate) fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }
}

fn is_code(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit())
}
