//! The control connection: lines in, replies out, and an eye on it while data is transferred.

use std::os::fd::AsFd;
use std::time::Instant;

use exeunt_api::prelude::*;

use crate::command::foreign_protocol;
use crate::line::{Line, LineBuffer};
use crate::reply::Reply;

/// The control connection of one session.
pub(crate) struct Control<'s> {
    session: &'s Session<'s>,
    stream: Stream,
    lines: LineBuffer,
    /// What has come before the first line is complete; then it is known that the client speaks FTP.
    first: Option<Vec<u8>>,
}

/// What to wait for on a data connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum For {
    Reading,
    Writing,
}

/// What waiting for a data connection came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is ready.
    Ready,
    /// The client wants to abort. Its ABOR stays where it stands among the lines to answer.
    Abort,
    /// The time is over.
    TimedOut,
}

impl<'s> Control<'s> {
    /// The connection of a session from which nothing has been read yet.
    pub(crate) fn new(session: &'s Session<'s>) -> Self {
        let stream = session.connection();
        // A reply must not wait until the client has acknowledged the one before.
        let _optional = rustix::net::sockopt::set_tcp_nodelay(&stream, true);
        // Clients send the end of an ABOR as urgent data: it is to stay in its place in the stream.
        // Where that cannot be had, a client that does so is understood only after its next line.
        let _optional = rustix::net::sockopt::set_socket_oobinline(&stream, true);
        Self { session, stream, lines: LineBuffer::default(), first: Some(Vec::new()) }
    }

    /// The next line; waits for it. Ends the session at the end of the connection.
    pub(crate) fn line(&mut self) -> Result<Line> {
        loop {
            if let Some(line) = self.lines.take() {
                return Ok(line);
            }
            self.fetch()?;
        }
    }

    /// Sends a reply.
    pub(crate) fn send(&self, reply: &Reply) -> Result<()> {
        let sent = self.session.write_all(&self.stream, reply.to_string().as_bytes());
        sent.map_err(|error| self.lost(error))
    }

    /// Waits for `data`. Lines that come meanwhile are kept; the end of the control connection ends
    /// the session, so that no transfer outlives its client.
    pub(crate) fn watch(
        &mut self,
        data: &impl AsFd,
        purpose: For,
        deadline: Option<Instant>,
    ) -> Result<Turn> {
        loop {
            if self.lines.has_abort() {
                return Ok(Turn::Abort);
            }
            let data = match purpose {
                For::Reading => Waiting::readable(data),
                For::Writing => Waiting::writable(data),
            };
            let mut waiting = [data, Waiting::readable(&self.stream)];
            // A client that floods the session with commands has to wait for their replies.
            let watched = if self.lines.is_full() { 1 } else { 2 };
            let left = deadline.map(|moment| moment.saturating_duration_since(Instant::now()));
            if self.session.wait(&mut waiting[..watched], left)? == 0 {
                return Ok(Turn::TimedOut);
            }
            let [data, control] = waiting.map(|waiting| waiting.is_ready());
            if control {
                self.fetch()?;
            }
            if data && !self.lines.has_abort() {
                return Ok(Turn::Ready);
            }
        }
    }

    /// Reads what has come, waiting for at least one byte.
    fn fetch(&mut self) -> Result<()> {
        let mut buffer = [0; 4096];
        let read = self.session.read(&self.stream, &mut buffer);
        let bytes = match read.map_err(|error| self.lost(error))? {
            0 => return Err(self.session.end(End::Eof)),
            length => &buffer[..length],
        };
        if let Some(mut first) = self.first.take() {
            first.extend_from_slice(bytes);
            if let Some(name) = foreign_protocol(&first) {
                return Err(self.session.end(End::BadProtocol(name)));
            }
            // What is longer than any first word is either recognised by now or a long line.
            self.first = (!first.contains(&b'\n') && first.len() < 64).then_some(first);
        }
        self.lines.feed(bytes);
        Ok(())
    }

    /// The end of the session for an error of the connection.
    fn lost(&self, error: Error) -> Error {
        if error.is_reset() { self.session.end(End::Reset) } else { error }
    }
}
