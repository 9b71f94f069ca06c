//! Lines, for protocols that speak in lines.

use super::{Session, Stream};
use crate::Result;

/// The most that is read at once.
const CHUNK: usize = 4096;

/// What [`LineReader::read_line`] found.
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(session: &Session<'_>, lines: &mut LineReader) -> Result<()> {
/// match lines.read_line(session, &session.connection())? {
///     Line::Text(line) => session.log().debug(line),
///     Line::TooLong => session.log().warn("a line was too long"),
///     Line::Eof => return Err(session.end(End::Eof)),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line without its CRLF or LF. Bytes that are not UTF-8 have become `U+FFFD`.
    Text(String),
    /// A line that is longer than allowed. It is dropped whole, as it comes.
    TooLong,
    /// The end of what the client sends. A last line without a line end is dropped: nobody can say
    /// whether it is complete.
    Eof,
}

/// Reads lines from a connection. It keeps what it has read beyond the first line, so that clients
/// may send several at once: use one reader for the whole session.
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(session: &Session<'_>) -> Result<()> {
/// let (connection, mut lines) = (session.connection(), LineReader::new(4096));
/// while let Line::Text(line) = lines.read_line(session, &connection)? {
///     session.write_all(&connection, line.as_bytes())?;
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct LineReader {
    longest: usize,
    /// What was read and not yet returned: at most the longest line, its end, and one chunk.
    buffer: Vec<u8>,
    /// Whether the line that is being read is too long, and was reported.
    dropping: bool,
}

impl LineReader {
    /// A reader for lines of at most `longest` bytes, line end excluded. \[anywhere\]
    ///
    /// ```
    /// use exeunt_api::prelude::*;
    ///
    /// let lines = LineReader::new(4096);
    /// ```
    #[must_use]
    pub const fn new(longest: usize) -> Self {
        Self { longest, buffer: Vec::new(), dropping: false }
    }

    /// The next line, waiting until the client has sent it.
    ///
    /// # Errors
    ///
    /// Those of [`Session::read`].
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>, lines: &mut LineReader) -> Result<()> {
    /// let line = lines.read_line(session, &session.connection())?;
    /// # Ok(()) }
    /// ```
    pub fn read_line(&mut self, session: &Session<'_>, stream: &Stream) -> Result<Line> {
        let mut searched = 0;
        loop {
            if let Some(line) = self.next_line(searched) {
                return Ok(line);
            }
            searched = self.buffer.len();
            self.buffer.resize(searched + CHUNK, 0);
            let result = session.read(stream, &mut self.buffer[searched..]);
            let length = result.as_ref().copied().unwrap_or_default();
            self.buffer.truncate(searched + length);
            if result? == 0 {
                self.buffer.clear();
                return Ok(Line::Eof);
            }
        }
    }

    /// The next line of the buffer, whose first `searched` bytes have no line end.
    fn next_line(&mut self, mut searched: usize) -> Option<Line> {
        while let Some(end) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
            let mut line: Vec<u8> = self.buffer.drain(..=searched + end).collect();
            searched = 0;
            if std::mem::take(&mut self.dropping) {
                continue;
            }
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Some(match line.len() > self.longest {
                true => Line::TooLong,
                false => Line::Text(String::from_utf8_lossy(&line).into_owned()),
            });
        }
        if self.dropping {
            self.buffer.clear();
        } else if self.buffer.len() > self.longest + 1 {
            // One byte more may be the CR of a line end.
            self.buffer.clear();
            self.dropping = true;
            return Some(Line::TooLong);
        }
        None
    }
}
