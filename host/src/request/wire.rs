//! A request as it travels: fixed words, which anybody who holds the socket could have written. What
//! is read here is bounded and of a known kind, and nothing more is believed of it.

/// The bytes of a request.
pub(super) const SIZE: usize = 28 + TEXT;
/// The most bytes of its text.
const TEXT: usize = 64;

const LEAVE: u32 = 1;
const LOGIN: u32 = 2;
const RUN: u32 = 3;
const LOG_OUT: u32 = 4;

/// What a session may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// The limits are no longer to count it. There is no answer.
    Leave,
    /// This user has proved who it is: may it come in?
    Login { user: String },
    /// It has come to this turn of its chain, which a runner is to take.
    Run { turn: u32 },
    /// The record of its login is to be closed.
    LogOut,
}

impl Request {
    /// Whether it is withdrawn when the session is ordered to end.
    pub(super) fn is_for_the_living(&self) -> bool {
        matches!(self, Self::Login { .. })
    }
}

/// A request and who says it is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wire {
    /// Tells the answer from those to other requests of the session.
    pub(super) sequence: u16,
    /// The session's number.
    pub(super) session: u64,
    pub(super) request: Request,
}

impl Wire {
    /// The words; text that is too long is cut at a character, control characters are replaced.
    pub(super) fn encode(&self) -> [u8; SIZE] {
        let (kind, number, text) = match &self.request {
            Request::Leave => (LEAVE, 0_u64, ""),
            Request::Login { user } => (LOGIN, 0, user.as_str()),
            Request::Run { turn } => (RUN, u64::from(*turn), ""),
            Request::LogOut => (LOG_OUT, 0, ""),
        };
        let text = text.replace(char::is_control, "\u{fffd}");
        let text = &text[..text.floor_char_boundary(TEXT)];
        let mut bytes = [0; SIZE];
        bytes[..4].copy_from_slice(&kind.to_ne_bytes());
        bytes[4..8].copy_from_slice(&u32::from(self.sequence).to_ne_bytes());
        bytes[8..16].copy_from_slice(&self.session.to_ne_bytes());
        bytes[16..24].copy_from_slice(&number.to_ne_bytes());
        bytes[24..28].copy_from_slice(&(text.len() as u32).to_ne_bytes());
        bytes[28..28 + text.len()].copy_from_slice(text.as_bytes());
        bytes
    }

    /// The request in the words, if they are one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SIZE] = bytes.try_into().ok()?;
        let (head, text) = bytes.split_at(28);
        let word = |at: usize| Some(u32::from_ne_bytes(head[at..at + 4].try_into().ok()?));
        let long = |at: usize| Some(u64::from_ne_bytes(head[at..at + 8].try_into().ok()?));
        let text = std::str::from_utf8(text.get(..word(24)? as usize)?).ok()?;
        let request = match (word(0)?, long(16)?, text) {
            (LEAVE, 0, "") => Request::Leave,
            (LOGIN, 0, user) if is_name(user) => Request::Login { user: user.to_owned() },
            (LOG_OUT, 0, "") => Request::LogOut,
            (RUN, turn, "") => Request::Run { turn: u32::try_from(turn).ok()? },
            _ => return None,
        };
        Some(Self { sequence: u16::try_from(word(4)?).ok()?, session: long(8)?, request })
    }
}

/// Whether a text is the same when it was on a page and was read back.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn login(user: &str) -> Wire {
        let request = Request::Login { user: user.to_owned() };
        Wire { sequence: 7, session: 1 << 40, request }
    }

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let leave = Wire { request: Request::Leave, ..login("") };
        let run = Wire { request: Request::Run { turn: 63 }, ..login("") };
        let log_out = Wire { request: Request::LogOut, ..login("") };
        for wire in [log_out, login("anna"), login(&"ä".repeat(32)), leave, run] {
            assert_eq!(Wire::decode(&wire.encode()), Some(wire));
        }
    }

    #[test]
    fn a_name_is_cut_at_a_character_and_has_no_control_characters() {
        let long = format!("a{}", "ä".repeat(40));
        assert_eq!(Wire::decode(&login(&long).encode()), Some(login(&long[..63])));
        assert_eq!(Wire::decode(&login("a\nb").encode()), Some(login("a\u{fffd}b")));
    }

    #[test]
    fn what_is_no_request_is_none() {
        let good = login("anna").encode();
        assert_eq!(Wire::decode(&good[..SIZE - 1]), None);
        for (at, byte) in [(0, 9), (7, 1), (16, 1), (24, 65), (27, 255), (28, 0xff), (28, 7)] {
            let mut bad = good;
            bad[at] = byte;
            assert_eq!(Wire::decode(&bad), None, "{byte} at {at}");
        }
        assert_eq!(Wire::decode(&login("").encode()), None, "a login of nobody");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_request_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(wire) = Wire::decode(&bytes) {
                prop_assert_eq!(Wire::decode(&wire.encode()), Some(wire));
            }
        }
    }
}
