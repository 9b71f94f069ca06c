//! The addresses in PORT, EPRT, PASV and EPSV, as text; and which of them a client may name. Pure.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

/// Why an EPRT argument is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadEprt {
    /// It is not `<d>protocol<d>address<d>port<d>`.
    Malformed,
    /// The protocol is neither 1 nor 2, or the address is not of that protocol.
    Protocol,
}

/// Parses `h1,h2,h3,h4,p1,p2` (RFC 959).
pub(crate) fn parse_port(text: &str) -> Option<SocketAddr> {
    let numbers: Vec<u8> =
        text.trim().split(',').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [a, b, c, d, high, low] = numbers[..] else { return None };
    let port = u16::from_be_bytes([high, low]);
    Some(SocketAddr::from((Ipv4Addr::new(a, b, c, d), port)))
}

/// Parses `|1|132.235.1.2|6275|`, whatever the delimiter (RFC 2428).
pub(crate) fn parse_eprt(text: &str) -> Result<SocketAddr, BadEprt> {
    let text = text.trim();
    let delimiter = text.chars().next().ok_or(BadEprt::Malformed)?;
    let parts: Vec<&str> = text.split(delimiter).collect();
    let ["", protocol, address, port, ""] = parts[..] else { return Err(BadEprt::Malformed) };
    let port: u16 = port.parse().map_err(|_| BadEprt::Malformed)?;
    let address: IpAddr = match protocol {
        "1" | "2" => address.parse().map_err(|_| BadEprt::Malformed)?,
        _ => return Err(BadEprt::Protocol),
    };
    if address.is_ipv4() == (protocol == "1") {
        Ok(SocketAddr::new(address, port))
    } else {
        Err(BadEprt::Protocol)
    }
}

/// Whether a client at `client` may have data sent to `target`: only to itself, and to no port where
/// a service of the system listens. Everything else lets a client attack a third (RFC 2577).
pub(crate) fn may_connect(client: IpAddr, target: SocketAddr) -> bool {
    target.ip().to_canonical() == client && target.port() >= 1024
}

/// The six numbers of 227.
pub(crate) fn pasv_text(address: SocketAddrV4) -> String {
    let [a, b, c, d] = address.ip().octets();
    let [high, low] = address.port().to_be_bytes();
    format!("{a},{b},{c},{d},{high},{low}")
}

/// The number that EPSV and EPRT use for an address's protocol.
pub(crate) fn protocol_number(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "1" } else { "2" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn port_takes_six_bytes() {
        assert_eq!(parse_port("127,0,0,1,4,1"), Some(at("127.0.0.1:1025")));
        for wrong in
            ["", "1,2,3,4,5", "1,2,3,4,5,6,7", "256,0,0,1,4,1", "a,0,0,1,4,1", "1,,2,3,4,5"]
        {
            assert_eq!(parse_port(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn eprt_takes_both_families_and_any_delimiter() {
        assert_eq!(parse_eprt("|1|127.0.0.1|2000|"), Ok(at("127.0.0.1:2000")));
        assert_eq!(parse_eprt("!2!::1!2000!"), Ok(at("[::1]:2000")));
        assert_eq!(parse_eprt("|2|127.0.0.1|2000|"), Err(BadEprt::Protocol));
        assert_eq!(parse_eprt("|3|127.0.0.1|2000|"), Err(BadEprt::Protocol));
        for wrong in ["", "|", "|1|127.0.0.1|2000", "|1|x|2000|", "|1|127.0.0.1|70000|"] {
            assert_eq!(parse_eprt(wrong), Err(BadEprt::Malformed), "{wrong}");
        }
    }

    #[test]
    fn data_goes_to_the_client_alone_and_to_no_privileged_port() {
        let client = at("127.0.0.1:40000").ip();
        assert!(may_connect(client, at("127.0.0.1:1024")));
        assert!(may_connect(client, at("[::ffff:127.0.0.1]:2000")));
        assert!(!may_connect(client, at("127.0.0.1:1023")));
        assert!(!may_connect(client, at("127.0.0.1:0")));
        assert!(!may_connect(client, at("127.0.0.2:2000")));
        assert!(!may_connect(client, at("[::1]:2000")));
    }

    proptest! {
        #[test]
        fn what_pasv_says_port_reads(ip: [u8; 4], port: u16) {
            let address = SocketAddrV4::new(ip.into(), port);
            prop_assert_eq!(parse_port(&pasv_text(address)), Some(SocketAddr::V4(address)));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,40}") {
            let _ = parse_port(&text);
            let _ = parse_eprt(&text);
        }
    }
}
