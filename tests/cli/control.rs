//! Whoever reaches the control socket may send anything, or nothing: the daemon is not disturbed.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::with_session;
use crate::harness::*;

fn connect(daemon: &Daemon) -> UnixStream {
    let stream = UnixStream::connect(daemon.path("run/control")).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout can be set");
    stream
}

/// What comes until the daemon closes the connection.
fn rest(mut stream: &UnixStream) -> Vec<u8> {
    let mut rest = Vec::new();
    // Closing with unread bytes resets the connection: the end is what counts.
    match stream.read_to_end(&mut rest) {
        Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => panic!("it is not closed"),
        _ => rest,
    }
}

#[track_caller]
fn is_undisturbed(daemon: &Daemon, client: &mut Client) {
    client.ask("still there", "still there");
    let status = daemon.exeunt(&["status"]);
    assert_eq!(status.status, 0, "{}", status.text);
}

#[test]
fn what_is_no_request_is_refused() {
    let (daemon, mut client) = with_session();
    let mut number = 88_172_645_463_325_252_u64;
    for len in [1, 7, 8, 31, 32, 33, 100, 5000] {
        let mut random = || {
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
            number as u8
        };
        let bytes: Vec<u8> = (0..len).map(|_| random()).collect();
        let mut stream = connect(&daemon);
        // The daemon may have seen enough before all of it is written.
        let _refused = stream.write_all(&bytes);
        let _closed = stream.shutdown(std::net::Shutdown::Write);
        let answer = String::from_utf8_lossy(&rest(&stream)).into_owned();
        assert!(len != 32 || answer.contains("does not know this request"), "{answer:?}");
    }
    is_undisturbed(&daemon, &mut client);
}

#[test]
fn a_request_that_is_almost_right_is_refused() {
    let (daemon, mut client) = with_session();
    // Operation 9 of a request that is right otherwise, and a stop with something in its reserve.
    for (op, reserve) in [(9_u8, 0_u8), (2, 1)] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(b"exeuntC1");
        (bytes[8], bytes[31]) = (op, reserve);
        let mut stream = connect(&daemon);
        stream.write_all(&bytes).expect("it takes a request");
        let answer = String::from_utf8_lossy(&rest(&stream)).into_owned();
        assert!(answer.contains("does not know this request"), "{answer:?}");
    }
    is_undisturbed(&daemon, &mut client);
}

#[test]
fn a_request_may_come_in_pieces() {
    let (daemon, _client) = with_session();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(b"exeuntC1");
    bytes[8] = 1;
    let mut stream = connect(&daemon);
    for byte in bytes {
        stream.write_all(&[byte]).expect("it takes a byte");
    }
    let answer = rest(&stream);
    assert_eq!(answer[0], 0, "it is done");
    assert!(String::from_utf8_lossy(&answer).contains("\"generations\""));
}

#[test]
fn a_client_that_does_not_end_its_request_is_left_and_holds_nobody_up() {
    let (daemon, mut client) = with_session();
    let mut slow = connect(&daemon);
    slow.write_all(b"exeuntC1").expect("it takes the beginning");
    is_undisturbed(&daemon, &mut client);
    assert_eq!(rest(&slow), b"", "the daemon's patience ends");
    is_undisturbed(&daemon, &mut client);
}

#[test]
fn a_client_that_goes_without_its_answer_disturbs_nobody() {
    let (daemon, mut client) = with_session();
    for _ in 0..100 {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(b"exeuntC1");
        bytes[8] = 1;
        connect(&daemon).write_all(&bytes).expect("it takes a request");
    }
    is_undisturbed(&daemon, &mut client);
}

#[test]
fn a_hundred_silent_clients_disturb_nobody() {
    let (daemon, mut client) = with_session();
    let silent: Vec<UnixStream> = (0..100).map(|_| connect(&daemon)).collect();
    is_undisturbed(&daemon, &mut client);
    assert!(silent.iter().all(|silent| rest(silent).is_empty()), "they are sent away");
    is_undisturbed(&daemon, &mut client);
    let open = Process(daemon.pid()).descriptors();
    let sockets = open.iter().filter(|target| target.starts_with("socket:")).count();
    assert!(sockets < 10, "the supervisor keeps {sockets} sockets: {open:?}");
}
