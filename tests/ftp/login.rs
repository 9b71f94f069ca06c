//! From the greeting to the login, and lines that are no commands.

use super::dialogue::Ftp;
use super::{Tree, logged_in, served};

#[test]
fn the_greeting_is_one_line_or_as_many_as_were_set() {
    let (_tree, daemon) = served();
    assert_eq!(Ftp::over(daemon.connect()).reply(), ["220 Welcome."]);
    let tree = Tree::new();
    let daemon = tree.served_with("greeting = \"One\\nTwo\"").start();
    assert_eq!(Ftp::over(daemon.connect()).reply(), ["220-One", "220 Two"]);
}

#[test]
fn before_the_login_only_what_touches_no_file_is_answered() {
    let (_tree, daemon) = served();
    Ftp::connect(&daemon).table(&[
        ("PWD", "530"),
        ("LIST", "530"),
        ("EPSV ALL", "530"),
        ("RETR a.txt", "530"),
        ("STAT", "530"),
        ("NOOP", "200"),
        ("SYST", "215 UNIX Type: L8"),
        ("FEAT", "211-"),
        ("HELP", "214-"),
        ("TYPE I", "200"),
        ("PASS x", "503"),
        ("USER", "500"),
        ("PWD", "530"),
    ]);
}

#[test]
fn after_the_login_the_user_stays() {
    let (_tree, daemon) = served();
    Ftp::connect(&daemon).table(&[
        ("USER anonymous", "331"),
        ("PASS guest@", "230"),
        ("USER other", "501"),
        ("USER anonymous", "230"),
        ("USER ftp", "230"),
        ("PASS x", "503"),
        ("PWD", "257 \"/\""),
    ]);
}

#[test]
fn a_password_may_be_empty_and_a_user_may_be_asked_for_again() {
    let (_tree, daemon) = served();
    Ftp::connect(&daemon).table(&[
        ("USER nosuch", "331"),
        ("PASS x", "530"),
        ("PASS x", "503"),
        ("USER nosuch", "331"),
        ("USER FTP", "331"),
        ("PASS", "230"),
    ]);
}

#[test]
fn names_that_exist_and_names_that_do_not_are_refused_alike() {
    let tree = Tree::new();
    let daemon = tree.served_with("anonymous = false").start();
    let mut ftp = Ftp::connect(&daemon);
    let [known, unknown] = ["anonymous", "nosuch"]
        .map(|name| [ftp.ask(&format!("USER {name}")), ftp.ask("PASS x")].concat());
    assert_eq!(known, unknown);
    assert!(known[0].starts_with("331") && known[1].starts_with("530"), "{known:?}");
}

#[test]
fn verbs_are_known_in_any_case_and_some_only_to_be_refused() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("noop", "200"),
        ("nOoP", "200"),
        ("pwd", "257"),
        ("REIN", "502"),
        ("ACCT x", "502"),
        ("SMNT x", "502"),
        ("ALLO 5", "202"),
    ]);
}

#[test]
fn what_is_no_command_is_told_so_and_the_session_goes_on() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("", "500"),
        (" NOOP", "500"),
        ("xyzzy", "500 XYZZY not understood"),
        ("../x", "500"),
        ("MKD incoming/a\tb", "501"),
        ("NOOP", "200"),
    ]);
    ftp.send_bytes(b"RETR \xe9t\xe9\r\n");
    assert_eq!(ftp.code(), "501");
    ftp.table(&[("NOOP", "200")]);
}

#[test]
fn a_line_that_is_too_long_is_answered_at_once_and_once() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.send_bytes(&[b'x'; 6000]);
    assert_eq!(ftp.code(), "500");
    ftp.send_bytes(b"xxx\r\nNOOP\r\n");
    assert_eq!(ftp.code(), "200");
}

#[test]
fn pipelined_commands_are_answered_in_order() {
    let (_tree, daemon) = served();
    let mut ftp = Ftp::connect(&daemon);
    ftp.send_bytes(b"NOOP\r\nSYST\r\nUSER ftp\r\nPASS x\r\nPWD\r\nQUIT\r\n");
    assert_eq!(ftp.codes(), ["200", "215", "331", "230", "257", "221"]);
    ftp.eof();
}

#[test]
fn a_command_may_come_in_pieces_and_end_with_lf() {
    let (_tree, daemon) = served();
    let mut ftp = Ftp::connect(&daemon);
    for piece in ["NO", "OP\r", "\nSY", "ST\n"] {
        ftp.send_bytes(piece.as_bytes());
    }
    assert_eq!(ftp.codes(), ["200", "215"]);
}

#[test]
fn another_protocol_gets_no_reply() {
    let (_tree, daemon) = served();
    let first_lines = ["GET / HTTP/1.1", "HELO x", "SSH-2.0-x", "POST / HTTP/1.1"];
    for line in first_lines {
        let mut ftp = Ftp::connect(&daemon);
        ftp.send(line);
        ftp.eof();
    }
    let exits = daemon.wait_exits(first_lines.len());
    assert!(exits.iter().all(|exit| exit.cause == "bad-protocol"), "{exits:?}");
}
