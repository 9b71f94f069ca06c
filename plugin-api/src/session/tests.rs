//! Bytes, lines, files and further connections of a session.

use std::io::{Read, Seek, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use super::*;
use crate::bridge::fake::{self, with};

fn text(line: &str) -> Line {
    Line::Text(line.to_owned())
}

#[test]
fn lines_that_come_at_once_are_read_one_by_one() {
    let (session, mut client) = fake::session();
    let mut lines = LineReader::new(8);
    client.write_all(b"one\r\ntwo\n\r\nhalf").unwrap();
    drop(client);
    let mut next = || lines.read_line(&session, &session.connection()).unwrap();
    assert_eq!([next(), next(), next()], [text("one"), text("two"), text("")]);
    // The last line has no end: nobody can say whether it is complete.
    assert_eq!(next(), Line::Eof);
    assert_eq!(with(|fake| fake.bytes), (15, 0));
}

#[test]
fn a_line_that_is_too_long_is_reported_once_and_dropped_whole() {
    let (session, mut client) = fake::session();
    let mut lines = LineReader::new(4);
    let mut next = || lines.read_line(&session, &session.connection()).unwrap();
    client.write_all(b"four\r\nfive5\r\n").unwrap();
    assert_eq!([next(), next()], [text("four"), Line::TooLong]);
    // In pieces, far longer than the reader keeps.
    client.write_all(&[b'x'; 10_000]).unwrap();
    assert_eq!(next(), Line::TooLong);
    client.write_all(b"yyy\r\nok\r\n").unwrap();
    assert_eq!(next(), text("ok"));
}

#[test]
fn a_client_that_always_sends_does_not_keep_the_session_from_its_end() {
    let (session, mut client) = fake::session();
    client.write_all(&[0; 500]).unwrap();
    with(|fake| fake.ending = true);
    let mut reads = 0;
    let error = loop {
        match session.read(&session.connection(), &mut [0; 1]) {
            Ok(_) => reads += 1,
            Err(error) => break error,
        }
    };
    assert!(error.is_ending());
    assert_eq!((reads, with(|fake| fake.looks)), (63, 1));
}

#[test]
fn a_session_that_is_to_end_ends_where_it_waits() {
    let (session, _client) = fake::session();
    with(|fake| fake.ending = true);
    assert!(session.read(&session.connection(), &mut [0; 1]).unwrap_err().is_ending());
    assert!(session.sleep(Duration::from_secs(100)).unwrap_err().is_ending());
    assert!(session.login("somebody").unwrap_err().is_ending());
}

#[test]
fn writing_goes_on_while_the_client_reads_and_a_closed_one_is_a_reset() {
    let (session, mut client) = fake::session();
    let sent = vec![7; 1 << 20];
    let reader = std::thread::spawn(move || {
        let mut received = vec![0; 1 << 20];
        client.read_exact(&mut received).map(|()| received)
    });
    session.write_all(&session.connection(), &sent).unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), sent);
    assert_eq!(with(|fake| fake.bytes), (0, 1 << 20));
    assert!(session.write_all(&session.connection(), b"x").unwrap_err().is_reset());
}

#[test]
fn a_file_is_sent_from_an_offset_to_its_end() {
    let (session, mut client) = fake::session();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    file.rewind().unwrap();
    let (mut offset, connection) = (4, session.connection());
    assert_eq!(session.send_file(&file, &mut offset, &connection).unwrap(), 6);
    assert_eq!(session.send_file(&file, &mut offset, &connection).unwrap(), 0);
    let mut received = [0; 6];
    client.read_exact(&mut received).unwrap();
    assert_eq!((&received, offset), (b"456789", 10));
}

#[test]
fn a_data_connection_is_accepted_and_an_absent_one_times_out() {
    let (session, _client) = fake::session();
    let listener = session.listen_on(Ipv4Addr::LOCALHOST.into(), 0..=0).unwrap();
    assert!(session.accept(&listener, Some(Duration::from_millis(5))).unwrap().is_none());
    let mut data = TcpStream::connect(listener.local_addr()).unwrap();
    let (stream, peer) = session.accept(&listener, None).unwrap().unwrap();
    assert_eq!(peer, data.local_addr().unwrap());
    session.write_all(&stream, b"data").unwrap();
    drop(stream);
    let mut received = String::new();
    data.read_to_string(&mut received).unwrap();
    assert_eq!(received, "data");
}

#[test]
fn connecting_reaches_a_listener_and_names_who_refuses() {
    let (session, _client) = fake::session();
    let listener = session.listen_on(Ipv4Addr::LOCALHOST.into(), 0..=0).unwrap();
    let address = listener.local_addr();
    let stream = session.connect(address, Some(Duration::from_secs(10))).unwrap();
    assert!(session.accept(&listener, None).unwrap().is_some());
    drop((stream, listener));
    let error = session.connect(address, None).unwrap_err().to_string();
    assert!(error.starts_with(&format!("could not connect to {address}: Connection refused")));
}

#[test]
fn a_port_is_taken_from_the_range_and_a_full_range_says_so() {
    let (session, _client) = fake::session();
    let local = Ipv4Addr::LOCALHOST.into();
    let taken = session.listen_on(local, 0..=0).unwrap();
    let port = taken.local_addr().port();
    let error = session.listen_on(local, port..=port).unwrap_err().to_string();
    assert_eq!(error, format!("no port from {port} to {port} is free on 127.0.0.1"));
    drop(taken);
    assert_eq!(session.listen_on(local, port..=port).unwrap().local_addr().port(), port);
}

#[test]
fn state_is_what_was_written_last_and_its_default_before() {
    #[derive(serde::Serialize, serde::Deserialize, Default, PartialEq, Debug, Clone)]
    struct Tally {
        files: u32,
        last: String,
    }
    let (session, _client) = fake::session();
    let state = State::<Tally>::new();
    assert_eq!(session.get(&state).unwrap(), Tally::default());
    let tally = Tally { files: 3, last: "a.txt".to_owned() };
    session.set(&state, &tally).unwrap();
    assert_eq!(session.get(&state).unwrap(), tally);
    let error = session.set(&state, &Tally { files: 4, last: "x".repeat(300) }).unwrap_err();
    assert!(error.to_string().ends_with("it has more than 256 bytes"), "{error}");
    assert_eq!(session.get(&state).unwrap(), tally);
}

#[test]
fn an_event_carries_its_payload() {
    let (session, _client) = fake::session();
    session.generate(&EventKey::new("ftp.uploaded"), &("/a", 5)).unwrap();
    assert_eq!(with(|fake| fake.generated.pop()).unwrap(), r#"ftp.uploaded ["/a", 5]"#);
}

#[test]
fn waiting_says_which_descriptor_is_ready() {
    let (session, mut client) = fake::session();
    let (quiet, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    client.write_all(b"x").unwrap();
    let connection = session.connection();
    let mut waiting = [Waiting::readable(&quiet), Waiting::readable(&connection)];
    assert_eq!(session.wait(&mut waiting, None).unwrap(), 1);
    assert_eq!([waiting[0].is_ready(), waiting[1].is_ready()], [false, true]);
    assert!(connection.as_fd().try_clone_to_owned().is_ok());
}

#[test]
fn only_bytes_of_its_own_connection_move_a_transfer() {
    let ((session, mut client), told) = (fake::session(), || with(|fake| fake.done.split_off(0)));
    let control = session.connection();
    session.expect_transfers();
    session.write_all(&control, b"150\r\n").unwrap();
    assert_eq!(told(), ["transfer 0"]);
    let listener = session.listen_on(Ipv4Addr::LOCALHOST.into(), 0..=0).unwrap();
    let _peer = TcpStream::connect(listener.local_addr()).unwrap();
    let (data, _) = session.accept(&listener, None).unwrap().unwrap();
    let transfer = session.transfer(&data);
    client.write_all(b"NOOP\r\n").unwrap();
    session.read(&control, &mut [0; 16]).unwrap();
    assert_eq!(told(), ["transfer 1"]);
    session.write_all(&data, b"content").unwrap();
    drop(transfer);
    assert_eq!(told(), ["transfer 1", "transfer 0"]);
    session.write_all(&data, b"more").unwrap();
    assert!(told().is_empty());
}
