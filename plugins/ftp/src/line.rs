//! Bytes of the control connection become lines. No socket here: who reads feeds it.

use std::collections::VecDeque;

/// The longest line that is read as a command, its end not counted: room for a path of the longest
/// length that the system takes.
const LONGEST: usize = 4096 + 64;
/// So many unanswered lines are enough to stop reading further ones for a while.
const MANY: usize = 64;

/// Telnet's escape byte; it occurs in no UTF-8 text.
const IAC: u8 = 0xff;

/// One line from the client, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line of text.
    Text(String),
    /// Longer than a command may be. It has been, or is being, thrown away.
    TooLong,
    /// Bytes that are not UTF-8.
    NotText,
}

/// Collects bytes and gives lines. Reading and answering are apart, because a transfer looks for an
/// ABOR without taking away the commands that wait before it.
#[derive(Debug, Default)]
pub(crate) struct LineBuffer {
    lines: VecDeque<Line>,
    partial: Vec<u8>,
    discarding: bool,
}

impl LineBuffer {
    /// Takes bytes as they came.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, complete) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            if !self.discarding {
                self.partial.extend_from_slice(text);
                // One more for a CR whose LF is still to come.
                if self.partial.len() > LONGEST + 1 {
                    self.lines.push_back(Line::TooLong);
                    self.partial.clear();
                    self.discarding = true;
                }
            }
            if complete {
                self.complete();
            }
        }
    }

    fn complete(&mut self) {
        if std::mem::take(&mut self.discarding) {
            return;
        }
        let mut bytes = without_telnet(&std::mem::take(&mut self.partial));
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        self.lines.push_back(if bytes.len() > LONGEST {
            Line::TooLong
        } else {
            String::from_utf8(bytes).map_or(Line::NotText, Line::Text)
        });
    }

    /// The next line, if a whole one has come.
    pub(crate) fn take(&mut self) -> Option<Line> {
        self.lines.pop_front()
    }

    /// Whether the client has asked to abort what goes on, in a line that was not taken yet.
    pub(crate) fn has_abort(&self) -> bool {
        self.lines.iter().any(|line| match line {
            Line::Text(text) => text.trim().eq_ignore_ascii_case("ABOR"),
            Line::TooLong | Line::NotText => false,
        })
    }

    /// Whether so many lines wait that no more should be read.
    pub(crate) fn is_full(&self) -> bool {
        self.lines.len() >= MANY
    }
}

/// Drops Telnet commands (RFC 854), which clients send before ABOR: `IAC IP IAC DM ABOR`.
fn without_telnet(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != IAC {
            plain.push(byte);
        } else if matches!(rest.next(), Some(0xfb..=0xfe)) {
            // WILL, WONT, DO and DONT name an option in one more byte.
            rest.next();
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<Line> {
        let mut buffer = LineBuffer::default();
        pieces.iter().for_each(|piece| buffer.feed(piece));
        std::iter::from_fn(|| buffer.take()).collect()
    }

    fn text(line: &str) -> Line {
        Line::Text(line.to_owned())
    }

    #[test]
    fn lines_end_with_crlf_or_lf() {
        assert_eq!(lines(&[b"NOOP\r\nPWD\n\r\nQU"]), [text("NOOP"), text("PWD"), text("")]);
    }

    #[test]
    fn a_line_that_is_too_long_is_reported_before_its_end_and_once() {
        let long = [b'x'; LONGEST + 2];
        assert_eq!(lines(&[&long]), [Line::TooLong]);
        assert_eq!(lines(&[&long, &long, b"\r\nNOOP\r\n"]), [Line::TooLong, text("NOOP")]);
    }

    #[test]
    fn the_longest_line_is_taken_and_one_byte_more_is_not() {
        let longest = "x".repeat(LONGEST);
        assert_eq!(lines(&[longest.as_bytes(), b"\r\n"]), [text(&longest)]);
        assert_eq!(lines(&[longest.as_bytes(), b"y\nNOOP\n"]), [Line::TooLong, text("NOOP")]);
    }

    #[test]
    fn telnet_commands_before_abort_are_dropped() {
        let mut buffer = LineBuffer::default();
        buffer.feed(b"NOOP\r\n\xff\xf4\xff\xf2ABOR\r\n");
        assert!(buffer.has_abort());
        assert_eq!(buffer.take(), Some(text("NOOP")));
        assert_eq!(buffer.take(), Some(text("ABOR")));
        assert!(!buffer.has_abort());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_told_apart() {
        assert_eq!(lines(&[b"RETR \xe9t\xe9\r\n"]), [Line::NotText]);
    }

    proptest! {
        #[test]
        fn how_bytes_are_cut_does_not_matter(bytes: Vec<u8>, cut in 0_usize..64) {
            let (head, tail) = bytes.split_at(cut.min(bytes.len()));
            prop_assert_eq!(lines(&[head, tail]), lines(&[&bytes]));
        }
    }
}
