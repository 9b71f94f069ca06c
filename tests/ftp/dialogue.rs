//! An FTP client that shows everything: replies as they came, and data connections by hand.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::harness::{Client, Daemon};

/// How long the server may take for anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// The control connection of one client.
pub(crate) struct Ftp {
    client: Client,
}

impl Ftp {
    /// Connects and takes the greeting.
    #[track_caller]
    pub(crate) fn connect(daemon: &Daemon) -> Self {
        let mut ftp = Self::over(daemon.connect());
        assert_eq!(ftp.code(), "220");
        ftp
    }

    /// Connects, logs in and asks for binary transfers.
    pub(crate) fn login(daemon: &Daemon) -> Self {
        let mut ftp = Self::connect(daemon);
        ftp.table(&[("USER anonymous", "331"), ("PASS guest@", "230"), ("TYPE I", "200")]);
        ftp
    }

    /// Speaks over a connection from which nothing was read yet.
    pub(crate) fn over(client: Client) -> Self {
        Self { client }
    }

    /// Sends one line.
    #[track_caller]
    pub(crate) fn send(&mut self, line: &str) {
        self.client.send(line);
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream().write_all(bytes).expect("a connection that takes bytes");
    }

    /// The next reply, all its lines, without their ends.
    #[track_caller]
    pub(crate) fn reply(&mut self) -> Vec<String> {
        let mut lines = vec![self.client.line()];
        let first = lines[0].clone();
        assert!(first.len() >= 4 && first.is_char_boundary(3), "not a reply: {first:?}");
        if first.as_bytes()[3] == b'-' {
            let end = format!("{} ", &first[..3]);
            while !lines.last().is_some_and(|line| line.starts_with(&end)) {
                lines.push(self.client.line());
            }
        }
        lines
    }

    /// The code of the next reply.
    #[track_caller]
    pub(crate) fn code(&mut self) -> String {
        self.reply()[0][..3].to_owned()
    }

    /// The codes of the next replies, as many as are expected.
    #[track_caller]
    pub(crate) fn codes<const N: usize>(&mut self) -> [String; N] {
        std::array::from_fn(|_| self.code())
    }

    /// Sends a line and takes its reply.
    #[track_caller]
    pub(crate) fn ask(&mut self, line: &str) -> Vec<String> {
        self.send(line);
        self.reply()
    }

    /// Sends a line to a server that may go at any moment; the reply, if one came.
    pub(crate) fn tries(&mut self, line: &str) -> Option<String> {
        let mut stream = self.stream();
        stream.write_all(format!("{line}\r\n").as_bytes()).ok()?;
        let mut reply = [0; 512];
        let length = stream.read(&mut reply).ok().filter(|length| *length > 0)?;
        Some(String::from_utf8_lossy(&reply[..length]).into_owned())
    }

    /// Sends the commands one after the other; the reply to each must begin as is said beside it.
    #[track_caller]
    pub(crate) fn table(&mut self, rows: &[(&str, &str)]) {
        for (line, begin) in rows {
            let reply = self.ask(line);
            assert!(reply[0].starts_with(begin), "{line:?}: {reply:?} and not {begin:?}");
        }
    }

    /// The connection ends without a further reply.
    #[track_caller]
    pub(crate) fn eof(&mut self) {
        self.client.eof();
    }

    /// Closes the connection.
    pub(crate) fn close(self) {
        self.client.close();
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        self.client.reset();
    }

    /// The socket.
    pub(crate) fn stream(&self) -> &TcpStream {
        self.client.stream()
    }

    /// Whether the server says something, or ends the connection, within that time.
    #[track_caller]
    pub(crate) fn speaks_within(&mut self, time: Duration) -> bool {
        let stream = self.stream();
        stream.set_read_timeout(Some(time)).expect("a timeout");
        let heard = stream.peek(&mut [0]);
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        match heard {
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("the connection is lost: {error}"),
            Ok(_) => true,
        }
    }

    /// Has the server listen and connects to it.
    #[track_caller]
    pub(crate) fn data(&mut self) -> TcpStream {
        let port = self.passive_port();
        let data = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a data connection");
        data.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        data.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        data
    }

    /// Has the server listen; the port.
    #[track_caller]
    pub(crate) fn passive_port(&mut self) -> u16 {
        let reply = self.ask("EPSV").concat();
        let port = reply.split('|').nth(3).and_then(|port| port.parse().ok());
        port.filter(|_| reply.starts_with("229")).unwrap_or_else(|| panic!("no port in {reply:?}"))
    }

    /// A transfer to the client: the codes of its replies, and what came.
    #[track_caller]
    pub(crate) fn fetch(&mut self, command: &str) -> (String, Vec<u8>) {
        let (mut data, mut content) = (self.data(), Vec::new());
        let first = self.ask(command)[0][..3].to_owned();
        if first != "150" {
            return (first, content);
        }
        data.read_to_end(&mut content).expect("the data");
        (format!("{first} {}", self.code()), content)
    }

    /// A listing: its lines, without their ends.
    #[track_caller]
    pub(crate) fn lines(&mut self, command: &str) -> Vec<String> {
        let (codes, content) = self.fetch(command);
        assert_eq!(codes, "150 226", "{command}");
        let text = String::from_utf8(content).expect("text");
        assert!(text.is_empty() || text.ends_with("\r\n"), "{text:?}");
        text.split_terminator("\r\n").map(str::to_owned).collect()
    }

    /// A transfer from the client: the codes of its replies.
    #[track_caller]
    pub(crate) fn store(&mut self, command: &str, content: &[u8]) -> String {
        let mut data = self.data();
        let first = self.ask(command)[0][..3].to_owned();
        if first != "150" {
            return first;
        }
        data.write_all(content).expect("a server that takes data");
        drop(data);
        format!("{first} {}", self.code())
    }

    /// Begins a transfer; the data connection of it.
    #[track_caller]
    pub(crate) fn begin(&mut self, command: &str) -> TcpStream {
        let data = self.data();
        self.table(&[(command, "150")]);
        data
    }
}
