//! Both sides of a request in one process.

use std::thread;
use std::time::Duration;

use nix::sys::socket::{ControlMessage, sendmsg};
use std::io::IoSlice;
use std::sync::atomic::Ordering::Relaxed;

use super::*;
use crate::clock;

fn page() -> &'static Identity {
    let identity: &'static Identity = Box::leak(Box::default());
    identity.session.store(42, Relaxed);
    identity
}

fn soon() -> clock::Moment {
    clock::after(clock::now(), Duration::from_secs(5))
}

fn login() -> Request {
    Request::Login { user: "anna".to_owned() }
}

#[test]
fn a_request_names_its_sender_and_anything_else_is_dropped() {
    let requests = Desk::new().expect("a socket pair");
    let asker = Asker::new(requests.for_sessions());
    for garbage in [&b"nonsense"[..], &[0; SIZE], &[1; SIZE + 50], b""] {
        nix::unistd::write(&requests.sessions, garbage).expect("sent");
    }
    asker.tell(page(), Request::Leave, soon()).expect("sent");
    let sender = std::process::id().cast_signed();
    let leave = Asked { sender, session: 42, sequence: 1, request: Request::Leave };
    assert_eq!(requests.next_request(), Some(leave));
    assert_eq!(requests.next_request(), None);
}

#[test]
fn a_request_that_comes_with_a_descriptor_is_dropped_and_so_is_the_descriptor() {
    let requests = Desk::new().expect("a socket pair");
    let (mine, its) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::empty())
        .expect("a socket pair");
    let words = Wire { sequence: 1, session: 42, request: Request::Leave }.encode();
    let rights = [its.as_raw_fd()];
    let with = [ControlMessage::ScmRights(&rights)];
    let parts = [IoSlice::new(&words)];
    sendmsg::<()>(requests.for_sessions(), &parts, &with, MsgFlags::empty(), None).expect("sent");
    drop(its);
    Asker::new(requests.for_sessions()).tell(page(), login(), soon()).expect("sent");
    assert_eq!(requests.next_request().map(|asked| asked.request), Some(login()));
    assert_eq!(nix::unistd::read(&mine, &mut [0]), Ok(0), "nobody holds the other end");
}

#[test]
fn an_answer_reaches_whoever_waits_for_it_and_no_other() {
    let (requests, identity) = (Desk::new().expect("a socket pair"), page());
    let socket = requests.for_sessions();
    let asking = thread::spawn(move || {
        let asker = Asker::new(socket);
        [0; 2].map(|_| asker.ask(identity, login(), soon()))
    });
    for (code, detail) in [(13, "limit 1"), (Answer::GRANTED, "")] {
        let asked = std::iter::repeat_with(|| requests.next_request()).find_map(|asked| asked);
        let asked = asked.expect("a request");
        Answer::give(identity, asked.sequence.wrapping_sub(1), 7, "the one before");
        Answer::give(identity, asked.sequence, code, detail);
    }
    let answers = asking.join().expect("answers").map(|answer| answer.map(|a| (a.code, a.detail)));
    assert_eq!(answers, [Ok((13, "limit 1".to_owned())), Ok((0, String::new()))]);
}

#[test]
fn without_a_zygote_without_time_or_under_an_order_there_is_no_answer() {
    let Desk { zygote, sessions } = Desk::new().expect("a socket pair");
    let (asker, identity) = (Asker::new(sessions.as_raw_fd()), page());
    let short = clock::after(clock::now(), Duration::from_millis(20));
    assert_eq!(asker.ask(identity, login(), short), Err(NoAnswer::Late));
    identity.set_order(20, "", 1);
    assert_eq!(asker.ask(identity, login(), soon()), Err(NoAnswer::Late));
    drop(zygote);
    assert_eq!(asker.ask(page(), login(), soon()), Err(NoAnswer::Gone));
}

#[test]
fn whoever_finds_no_room_waits_until_there_is_some() {
    let (requests, identity) = (Desk::new().expect("a socket pair"), page());
    let asker = Asker::new(requests.for_sessions());
    let at_once = clock::now();
    let mut many = 0;
    while asker.tell(identity, Request::Leave, at_once).is_ok() {
        many += 1;
    }
    let socket = requests.for_sessions();
    let waiting = thread::spawn(move || Asker::new(socket).tell(identity, Request::Leave, soon()));
    for _ in 0..=many {
        assert!(
            std::iter::repeat_with(|| requests.next_request()).find_map(|asked| asked).is_some()
        );
    }
    assert_eq!(waiting.join().expect("joined"), Ok(()));
}
