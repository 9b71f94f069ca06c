//! Transfers that do not come to their end: ABOR, lost connections, clients that are gone.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::dialogue::Ftp;
use super::sockets::{reset, rest, send_urgently};
use super::{BIG, Tree, ended_once, logged_in, traced};
use crate::harness::wait_until;

/// What an abort may take.
const AT_ONCE: Duration = Duration::from_secs(1);

#[test]
fn there_may_be_nothing_to_abort() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[("ABOR", "226"), ("ABOR", "226"), ("NOOP", "200")]);
}

#[test]
fn a_download_that_is_not_read_is_aborted() {
    for kind in ["TYPE I", "TYPE A"] {
        let (_tree, _daemon, mut ftp) = logged_in();
        ftp.table(&[(kind, "200")]);
        let mut data = ftp.begin("RETR big");
        data.read_exact(&mut [0; 1000]).expect("the first bytes");
        let asked = Instant::now();
        ftp.send("ABOR");
        assert_eq!(ftp.codes(), ["426", "226"]);
        assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
        assert!(rest(&mut data) < BIG as usize - 1000);
        assert_eq!(ftp.fetch("RETR a.txt").0, "150 226");
    }
}

#[test]
fn telnet_signals_before_abor_do_no_harm() {
    let (_tree, _daemon, mut ftp) = logged_in();
    let _data = ftp.begin("RETR big");
    ftp.send_bytes(b"\xff\xf4\xff");
    send_urgently(ftp.stream(), b"\xf2");
    ftp.send("ABOR");
    assert_eq!(ftp.codes(), ["426", "226"]);
    let _data = ftp.begin("RETR big");
    send_urgently(ftp.stream(), b"ABOR\r\n");
    assert_eq!(ftp.codes(), ["426", "226"]);
    ftp.table(&[("NOOP", "200")]);
}

#[test]
fn a_stalled_upload_is_aborted_at_once_and_kept() {
    let (tree, _daemon, mut ftp) = logged_in();
    let mut data = stalled(&tree, &mut ftp);
    let asked = Instant::now();
    ftp.send("ABOR");
    assert_eq!(ftp.codes(), ["426", "226"]);
    assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    assert_eq!(rest(&mut data), 0);
    assert_eq!(tree.length("incoming/f"), Some(100));
    ftp.table(&[("REST 100", "350")]);
    assert_eq!(ftp.store("STOR incoming/f", b"rest"), "150 226");
    assert_eq!(tree.length("incoming/f"), Some(104));
}

#[test]
fn commands_during_a_transfer_are_answered_after_it_in_order() {
    let (tree, _daemon, mut ftp) = logged_in();
    let data = stalled(&tree, &mut ftp);
    ftp.send_bytes(b"NOOP\r\nABOR\r\nSYST\r\n");
    assert_eq!(ftp.codes(), ["426", "200", "226", "215"]);
    drop(data);
    let data = ftp.begin("STOR incoming/g");
    ftp.send("NOOP");
    assert!(!ftp.speaks_within(Duration::from_millis(100)));
    drop(data);
    assert_eq!(ftp.codes(), ["226", "200"]);
}

#[test]
fn waiting_for_a_data_connection_can_be_aborted() {
    for command in ["RETR a.txt", "STOR incoming/f", "LIST"] {
        let (tree, _daemon, mut ftp) = logged_in();
        ftp.table(&[("EPSV", "229"), (command, "150")]);
        ftp.send("ABOR");
        assert_eq!(ftp.codes(), ["426", "226"]);
        assert_eq!(tree.length("incoming/f"), None);
        ftp.table(&[("NOOP", "200")]);
    }
}

#[test]
fn a_lost_data_connection_ends_the_transfer_and_not_the_session() {
    let (tree, _daemon, mut ftp) = logged_in();
    drop(ftp.begin("RETR big"));
    assert_eq!(ftp.code(), "426");
    reset(ftp.begin("RETR big"));
    assert_eq!(ftp.code(), "426");
    reset(stalled(&tree, &mut ftp));
    assert_eq!(ftp.code(), "426");
    assert_eq!(tree.length("incoming/f"), Some(100));
    assert_eq!(ftp.fetch("RETR a.txt").0, "150 226");
}

#[test]
fn a_client_that_goes_during_an_upload_leaves_what_has_come() {
    let (tree, daemon) = traced();
    let mut ftp = Ftp::login(&daemon);
    let mut data = stalled(&tree, &mut ftp);
    ftp.close();
    assert_eq!(rest(&mut data), 0);
    ended_once(&daemon, "client-eof");
    assert_eq!(tree.length("incoming/f"), Some(100));
}

#[test]
fn a_client_that_resets_during_an_upload_leaves_what_has_come() {
    let (tree, daemon) = traced();
    let mut ftp = Ftp::login(&daemon);
    let mut data = stalled(&tree, &mut ftp);
    ftp.reset();
    assert_eq!(rest(&mut data), 0);
    ended_once(&daemon, "client-reset");
    assert_eq!(tree.length("incoming/f"), Some(100));
}

#[test]
fn a_client_that_goes_during_a_download_or_before_it_ends_the_session() {
    for early in [true, false] {
        let (_tree, daemon) = traced();
        let mut ftp = Ftp::login(&daemon);
        let mut data = None;
        if early {
            ftp.table(&[("EPSV", "229"), ("RETR big", "150")]);
        } else {
            data = Some(ftp.begin("RETR big"));
        }
        ftp.close();
        ended_once(&daemon, "client-eof");
        assert!(data.is_none_or(|mut data| rest(&mut data) < BIG as usize));
    }
}

/// An upload of which 100 bytes have come to the disk and no more come.
fn stalled(tree: &Tree, ftp: &mut Ftp) -> TcpStream {
    let mut data = ftp.begin("STOR incoming/f");
    data.write_all(&[b'x'; 100]).expect("a server that takes data");
    wait_until(|| tree.length("incoming/f") == Some(100));
    data
}
