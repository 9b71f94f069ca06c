//! The address of a listen: what to write instead of what people write first.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::read::{Refusal, string};
use super::text;
use super::value::{Kind, Node};

/// What stands before the name of a socket that systemd passes.
const PASSED: &str = "systemd:";

/// Where a listen is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// An address and a port, which the daemon binds.
    Bound(SocketAddr),
    /// A socket with this name that the daemon is started with.
    Passed(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound(address) => address.fmt(f),
            Self::Passed(name) => write!(f, "{PASSED}{name}"),
        }
    }
}

/// An address with its port, or the name of a socket.
pub(super) fn address(node: &Node) -> Result<Address, Refusal> {
    if let Kind::Int(port) = node.kind {
        let hint = match u16::try_from(port) {
            Ok(port) => format!("write \"127.0.0.1:{port}\", or \"0.0.0.0:{port}\" for all"),
            Err(_) => "write for instance \"127.0.0.1:2121\"".into(),
        };
        return Err(Refusal::new("must be a string with address and port, not a number", hint));
    }
    let written = string(node)?;
    if let Some(name) = written.strip_prefix(PASSED) {
        let passed = text::name(name, &['-', '_', '.']).map(|()| Address::Passed(name.to_owned()));
        return passed.map_err(|refusal| Refusal {
            what: format!("has no usable name of a socket: it {}", refusal.what),
            hint: Some("FileDescriptorName= of the socket unit gives the name".into()),
            part: None,
        });
    }
    written.parse().map(Address::Bound).map_err(|_| refusal(written))
}

fn refusal(written: &str) -> Refusal {
    if let Ok(address) = written.trim_matches(['[', ']']).parse::<IpAddr>() {
        let whole = SocketAddr::new(address, 2121);
        return Refusal::new("has no port", format!("write for instance \"{whole}\""));
    }
    let Some((host, port)) = written.rsplit_once(':') else {
        return Refusal::new(
            format!("must be an address with a port, not \"{written}\""),
            "write for instance \"127.0.0.1:2121\", or \"[::1]:2121\" for IPv6",
        );
    };
    if port.parse::<u16>().is_err() {
        let what = format!("has no valid port: \"{port}\" is not a number from 0 to 65535");
        return Refusal::new(what, "write for instance \"127.0.0.1:2121\"");
    }
    match host {
        "" | "*" => Refusal::new(
            format!("must name an address, not \"{written}\""),
            format!("write \"0.0.0.0:{port}\" for all of IPv4, \"[::]:{port}\" for all of IPv6"),
        ),
        "localhost" => Refusal::new(
            "must be an address; host names are not looked up",
            format!("write \"127.0.0.1:{port}\", or \"[::1]:{port}\" for IPv6"),
        ),
        _ if host.contains(':') => Refusal::new(
            format!("must be an address, not \"{written}\""),
            "an IPv6 address stands in brackets: \"[::1]:2121\"",
        ),
        _ if host.contains(|c: char| c.is_ascii_alphabetic()) => Refusal::new(
            "must be an address; host names are not looked up",
            format!("write the address that `{host}` stands for, or \"0.0.0.0:{port}\" for all"),
        ),
        _ => Refusal::new(
            format!("must be an address, not \"{host}\""),
            format!("write four numbers from 0 to 255 without leading zeros: \"127.0.0.1:{port}\""),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Node, address};

    fn hint(kind: Kind) -> String {
        let refusal = address(&Node { span: 0..0, kind }).expect_err("a refusal");
        format!("{}; {}", refusal.what, refusal.hint.unwrap_or_default())
    }

    #[test]
    fn both_families_and_passed_sockets_are_accepted() {
        for text in ["127.0.0.1:2121", "[::1]:2121", "0.0.0.0:0", "systemd:ftp.socket"] {
            let node = Node { span: 0..0, kind: Kind::Str(text.into()) };
            assert_eq!(address(&node).expect(text).to_string(), text);
        }
    }

    #[test]
    fn each_usual_mistake_has_its_own_advice() {
        for (text, advice) in [
            ("127.0.0.1", "has no port; write for instance \"127.0.0.1:2121\""),
            ("::1", "has no port; write for instance \"[::1]:2121\""),
            ("[::1]", "has no port; write for instance \"[::1]:2121\""),
            ("localhost:21", "host names are not looked up; write \"127.0.0.1:21\""),
            ("ftp.example:21", "not looked up; write the address that `ftp.example` stands for"),
            (":21", "must name an address, not \":21\"; write \"0.0.0.0:21\""),
            ("*:21", "must name an address, not \"*:21\"; write \"0.0.0.0:21\""),
            ("127.0.0.1:99999", "has no valid port: \"99999\" is not a number from 0 to 65535"),
            ("127.0.0.300:21", "must be an address, not \"127.0.0.300\"; write four numbers"),
            ("fe80::x:21", "an IPv6 address stands in brackets"),
            ("ftp", "must be an address with a port, not \"ftp\""),
            ("systemd:", "no usable name of a socket: it must be 1 to 32 of a to z"),
            ("systemd:FTP", "it must be 1 to 32 of a to z, 0 to 9 or `-` or `_` or `.`"),
        ] {
            assert!(hint(Kind::Str(text.into())).contains(advice), "{text}");
        }
    }

    #[test]
    fn a_bare_port_is_refused() {
        assert!(hint(Kind::Int(21)).contains("write \"127.0.0.1:21\", or \"0.0.0.0:21\" for all"));
        assert!(hint(Kind::Int(-1)).contains("write for instance \"127.0.0.1:2121\""));
    }
}
