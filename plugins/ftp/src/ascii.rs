//! ASCII transfers: line ends are LF in files and CRLF on the wire. Streaming and pure: a CRLF may be
//! cut anywhere.

/// Appends `chunk` with each LF as CRLF. A CR that precedes an LF in the file is kept, so that what
/// is sent and stored again is the same file.
pub(crate) fn to_wire(chunk: &[u8], out: &mut Vec<u8>) {
    for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
        match piece.split_last() {
            Some((b'\n', text)) => {
                out.extend_from_slice(text);
                out.extend_from_slice(b"\r\n");
            }
            _ => out.extend_from_slice(piece),
        }
    }
}

/// Turns CRLF into LF; every other CR stays.
#[derive(Debug, Default)]
pub(crate) struct FromWire {
    held: bool,
}

impl FromWire {
    /// Appends `chunk` as it belongs into the file. A CR at its end is held back until it is known
    /// what follows.
    pub(crate) fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        for &byte in chunk {
            if std::mem::take(&mut self.held) && byte != b'\n' {
                out.push(b'\r');
            }
            if byte == b'\r' {
                self.held = true;
            } else {
                out.push(byte);
            }
        }
    }

    /// Appends what was held back when nothing follows.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.held) {
            out.push(b'\r');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wire(chunks: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        chunks.iter().for_each(|chunk| to_wire(chunk, &mut out));
        out
    }

    fn file(chunks: &[&[u8]]) -> Vec<u8> {
        let (mut converter, mut out) = (FromWire::default(), Vec::new());
        chunks.iter().for_each(|chunk| converter.feed(chunk, &mut out));
        converter.finish(&mut out);
        out
    }

    #[test]
    fn line_ends_are_converted() {
        assert_eq!(wire(&[b"a\n\nb"]), b"a\r\n\r\nb");
        assert_eq!(file(&[b"a\r\n\r\nb"]), b"a\n\nb");
    }

    #[test]
    fn a_crlf_that_is_cut_in_two_is_one_line_end() {
        assert_eq!(file(&[b"a\r", b"\nb"]), b"a\nb");
        assert_eq!(file(&[b"a\r", b"b\r"]), b"a\rb\r");
        assert_eq!(file(&[b"a\r\r", b"\n"]), b"a\r\n");
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_file(
            bytes in prop::collection::vec(prop::sample::select(b"\r\nab".to_vec()), 0..64),
            (first, second) in (0_usize..64, 0_usize..64),
        ) {
            let (head, tail) = bytes.split_at(first.min(bytes.len()));
            let sent = wire(&[head, tail]);
            let (head, tail) = sent.split_at(second.min(sent.len()));
            prop_assert_eq!(file(&[head, tail]), bytes);
        }
    }
}
