//! What a session and a root helper say to each other: a claim, and what an authenticator makes of it.
//! Each is one packet. The helper does not believe that the packet is one; the session does not believe
//! that the answer is.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd};

use exeunt_api::abi::Verdict;
use nix::sys::socket::{MsgFlags, recv, send, sendmsg};
use serde::{Deserialize, Serialize};

use crate::api::{self, Credentials, Given};
use crate::config::{Key, Kind, Node};

/// The most bytes of either packet.
const MOST: usize = 64 * 1024;

/// Says whom a client claims to be. The secret is not copied on its way.
pub(crate) fn make(socket: impl AsFd, claim: &Credentials) -> io::Result<()> {
    let Credentials { user, secret } = claim;
    if user.len() + secret.len() + 4 > MOST {
        return Err(io::Error::other("user or secret are too long"));
    }
    let length = (user.len() as u32).to_ne_bytes();
    let parts = [&length[..], user.as_bytes(), secret.as_bytes()].map(IoSlice::new);
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    sendmsg::<()>(socket.as_fd().as_raw_fd(), &parts, &[], flags, None)?;
    Ok(())
}

/// Hears whom a client claims to be. What held the packet is wiped.
pub(crate) fn hear(socket: impl AsFd) -> io::Result<Credentials> {
    let mut packet = vec![0; MOST];
    let length = recv(socket.as_fd().as_raw_fd(), &mut packet, MsgFlags::empty())?;
    let claim = read(&packet[..length]);
    packet.fill(0);
    std::hint::black_box(&packet);
    claim.ok_or_else(|| io::Error::other("the session's claim is none"))
}

fn read(packet: &[u8]) -> Option<Credentials> {
    let (length, texts) = packet.split_first_chunk()?;
    let (user, secret) = texts.split_at_checked(u32::from_ne_bytes(*length) as usize)?;
    let text = |bytes| std::str::from_utf8(bytes).ok().map(str::to_owned);
    Some(Credentials { user: text(user)?, secret: text(secret)? })
}

/// What an authenticator says, as it travels.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told<A> {
    Accepted(A),
    Rejected,
    Unknown,
    Failed(String),
}

/// An account, as it is taken from a helper: nothing else of it gets through.
#[derive(Deserialize)]
struct Account {
    user: String,
    home: Option<String>,
    root: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    system: bool,
}

/// Answers with what the authenticator gave, or with why it gave nothing.
pub(crate) fn answer(socket: impl AsFd, given: Result<Option<Given>, String>) -> io::Result<()> {
    let told = match given {
        Ok(None | Some((Verdict::UNKNOWN, _))) => Told::Unknown,
        Ok(Some((Verdict::REJECTED, _))) => Told::Rejected,
        Ok(Some((Verdict::ACCEPTED, Some(account)))) => Told::Accepted(api::json(&account)),
        Ok(Some(_)) => Told::Failed("it gives a verdict that is none".to_owned()),
        Err(why) => Told::Failed(why),
    };
    let packet = serde_json::to_vec(&told)?;
    send(socket.as_fd().as_raw_fd(), &packet, MsgFlags::MSG_NOSIGNAL)?;
    Ok(())
}

/// Takes the answer: what the authenticator gave, or why it gave nothing.
pub(crate) fn take(socket: impl AsFd) -> Result<Option<Given>, String> {
    let mut packet = vec![0; MOST];
    let length = recv(socket.as_fd().as_raw_fd(), &mut packet, MsgFlags::MSG_DONTWAIT);
    match length {
        Ok(0) | Err(nix::errno::Errno::ECONNRESET) => Err("its helper gave no answer".to_owned()),
        Ok(length) => given(&packet[..length]),
        Err(e) => Err(format!("the answer cannot be read: {e}")),
    }
}

fn given(packet: &[u8]) -> Result<Option<Given>, String> {
    let told: Told<Account> = serde_json::from_slice(packet)
        .map_err(|_| "its helper gave an answer that is none".to_owned())?;
    Ok(match told {
        Told::Accepted(account) => Some((Verdict::ACCEPTED, Some(node(account)))),
        Told::Rejected => Some((Verdict::REJECTED, None)),
        Told::Unknown => None,
        Told::Failed(why) => return Err(why),
    })
}

/// The account as a module takes it.
fn node(account: Account) -> Node {
    let Account { user, home, root, groups, system } = account;
    let of = |kind| Node { span: 0..0, kind };
    let text = |text| of(Kind::Str(text));
    let groups = of(Kind::List(groups.into_iter().map(text).collect()));
    let some = [("user", Some(user)), ("home", home), ("root", root)];
    let some = some.into_iter().filter_map(|(key, value)| Some((key, text(value?))));
    let all = some.chain([("groups", groups), ("system", of(Kind::Bool(system)))]);
    let key = |name: &str| Key { name: name.to_owned(), span: 0..0 };
    of(Kind::Table(all.map(|(name, value)| (key(name), value)).collect()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn a_claim_is_heard_as_it_was_made() {
        let (session, helper) = UnixDatagram::pair().expect("a pair");
        let claim = Credentials { user: "änna".to_owned(), secret: "pass word\n".to_owned() };
        make(&session, &claim).expect("made");
        let heard = hear(&helper).expect("heard");
        assert_eq!((heard.user, heard.secret), (claim.user, claim.secret));
        let long = Credentials { user: "a".to_owned(), secret: "x".repeat(MOST) };
        assert!(make(&session, &long).is_err());
    }

    #[test]
    fn what_is_no_claim_is_refused() {
        for packet in [&b""[..], b"abc", b"\xff\xff\xff\xffab", b"\x01\x00\x00\x00\xff"] {
            assert!(read(packet).is_none(), "{packet:?}");
        }
    }

    #[test]
    fn what_is_no_answer_refuses() {
        for packet in
            ["", "{", "null", "{\"accepted\":{}}", "{\"accepted\":{\"user\":7}}", "\"yes\""]
        {
            assert!(given(packet.as_bytes()).is_err(), "{packet}");
        }
        assert_eq!(given(b"\"unknown\""), Ok(None));
        assert_eq!(given(b"\"rejected\""), Ok(Some((Verdict::REJECTED, None))));
    }

    #[test]
    fn an_account_comes_through_without_what_is_none_of_it() {
        let told = br#"{"accepted":{"user":"anna","home":"/in","groups":["a"],"uid":0}}"#;
        let (_, account) = given(told).expect("an answer").expect("a verdict");
        let json = api::json(&account.expect("an account")).to_string();
        assert_eq!(json, r#"{"groups":["a"],"home":"/in","system":false,"user":"anna"}"#);
    }
}
