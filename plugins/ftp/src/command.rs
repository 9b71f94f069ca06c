//! A line becomes a verb and its argument; and the first bytes of a client that does not speak FTP
//! are recognised. What the verbs do is not known here.

/// A line that is a command, whether or not there is such a verb.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command<'line> {
    /// In upper case, at least one letter, no more than [`LONGEST_VERB`] of them.
    pub(crate) verb: String,
    /// What follows the first blank; empty if nothing does. Blanks further on belong to it, since
    /// names of files may begin and end with them.
    pub(crate) argument: &'line str,
}

/// Why a line is not a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Nothing, or nothing before the first blank.
    Empty,
    /// A character below blank, or DEL: it could break a reply or a log in two.
    ControlCharacter,
    /// The first word is not one of letters, or is longer than any verb.
    NotAVerb,
}

const LONGEST_VERB: usize = 16;

/// Splits a line. Which verbs exist and what they take is the table's business.
pub(crate) fn parse(line: &str) -> Result<Command<'_>, Malformed> {
    if line.chars().any(char::is_control) {
        return Err(Malformed::ControlCharacter);
    }
    let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
    if verb.is_empty() {
        return Err(Malformed::Empty);
    }
    if verb.len() > LONGEST_VERB || !verb.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(Malformed::NotAVerb);
    }
    Ok(Command { verb: verb.to_ascii_uppercase(), argument })
}

/// The name of the other protocol if a client's first bytes are not FTP's. Web browsers and mail
/// servers can be made to send commands of an attacker's choice in the lines that follow, so such a
/// connection is given no reply at all.
pub(crate) fn foreign_protocol(first: &[u8]) -> Option<&'static str> {
    if first.starts_with(b"SSH-") {
        return Some("SSH");
    }
    if first.starts_with(&[0x16, 0x03]) {
        return Some("TLS");
    }
    let end = first.iter().position(|byte| b" \r\n".contains(byte))?;
    match first[..end].to_ascii_uppercase().as_slice() {
        b"GET" | b"HEAD" | b"POST" | b"PUT" | b"DELETE" | b"CONNECT" | b"OPTIONS" | b"TRACE"
        | b"PATCH" | b"PRI" => Some("HTTP"),
        b"HELO" | b"EHLO" | b"LHLO" => Some("SMTP"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(line: &str) -> (String, &str) {
        let command = parse(line).expect("a command");
        (command.verb, command.argument)
    }

    #[test]
    fn the_verb_is_raised_and_the_argument_kept() {
        assert_eq!(parsed("ReTr a  file "), ("RETR".to_owned(), "a  file "));
        assert_eq!(parsed("cwd  x"), ("CWD".to_owned(), " x"));
        assert_eq!(parsed("noop"), ("NOOP".to_owned(), ""));
    }

    #[test]
    fn what_is_no_command_is_told_apart() {
        assert_eq!(parse(""), Err(Malformed::Empty));
        assert_eq!(parse(" NOOP"), Err(Malformed::Empty));
        assert_eq!(parse("MKD a\rb"), Err(Malformed::ControlCharacter));
        assert_eq!(parse("MKD a\u{85}b"), Err(Malformed::ControlCharacter));
        assert_eq!(parse("../x"), Err(Malformed::NotAVerb));
        assert_eq!(parse("abcdefghijklmnopq"), Err(Malformed::NotAVerb));
    }

    #[test]
    fn other_protocols_are_recognised_and_ftp_is_not() {
        assert_eq!(foreign_protocol(b"GET / HTTP/1.1\r\n"), Some("HTTP"));
        assert_eq!(foreign_protocol(b"helo x\r\n"), Some("SMTP"));
        assert_eq!(foreign_protocol(b"EHLO\r\n"), Some("SMTP"));
        assert_eq!(foreign_protocol(b"SSH-2.0-x\r\n"), Some("SSH"));
        assert_eq!(foreign_protocol(&[0x16, 0x03, 0x01]), Some("TLS"));
        for ftp in ["USER x\r\n", "OPTS UTF8 ON\r\n", "DELE x\r\n", "\r\n", "GE", "HEL"] {
            assert_eq!(foreign_protocol(ftp.as_bytes()), None, "{ftp}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_taken_or_refused_and_what_is_taken_is_harmless(line in ".{0,80}") {
            if let Ok(command) = parse(&line) {
                prop_assert!(!command.verb.is_empty() && command.verb.len() <= LONGEST_VERB);
                prop_assert!(!command.argument.chars().any(char::is_control));
                prop_assert!(line.len() <= command.verb.len() + 1 + command.argument.len());
            }
        }
    }
}
