//! The system's record of logins: one line when a user of the system has come in, one when they are
//! gone, whatever ended the session. Read back byte by byte here, and by `last` where it is installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::*;

/// FTP with a user whom the system knows and one whom it does not; logins are recorded.
fn recorded() -> Setup {
    with_users("nobody:GEHEIM:/anna\nanna:GEHEIM:/anna\n").file("wtmp", "").host("wtmp = 'wtmp'")
}

/// A record as the system's own programs read it.
#[derive(Debug, PartialEq)]
struct Record {
    kind: i16,
    pid: i32,
    line: String,
    user: String,
    host: String,
}

const LOGIN: i16 = 7;
const LOGOUT: i16 = 8;

/// The records of the file. The layout is that of utmp(5) on machines of 64 bits that share the file
/// with programs of 32.
fn records(path: &Path) -> Vec<Record> {
    let bytes = fs::read(path).expect("a file");
    assert_eq!(bytes.len() % size_of::<libc::utmpx>(), 0, "whole records");
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    let one = |bytes: &[u8]| Record {
        kind: i16::from_ne_bytes([bytes[0], bytes[1]]),
        pid: i32::from_ne_bytes(bytes[4..8].try_into().expect("four bytes")),
        line: text(&bytes[8..40]),
        user: text(&bytes[44..76]),
        host: text(&bytes[76..332]),
    };
    bytes.chunks(size_of::<libc::utmpx>()).map(one).collect()
}

/// The session was recorded as it came and as it went, once each.
#[track_caller]
fn came_and_went(daemon: &Daemon, pid: i32) {
    let line = format!("exeunt:{pid}");
    let login = ("nobody".to_owned(), "127.0.0.1".to_owned());
    let [came, went] = [(LOGIN, login), (LOGOUT, Default::default())]
        .map(|(kind, (user, host))| Record { kind, pid, line: line.clone(), user, host });
    assert_eq!(records(&daemon.path("wtmp")), [came, went]);
}

#[test]
fn a_session_that_quits_is_recorded_as_it_comes_and_as_it_goes() {
    let daemon = recorded().start();
    let mut client = log_in(&daemon, "nobody", "geheim", "230 ");
    let pid = daemon.session_pid();
    assert_eq!(records(&daemon.path("wtmp")).len(), 1);
    client.ask("QUIT", "221 ");
    daemon.wait_exit();
    came_and_went(&daemon, pid);
}

#[test]
fn the_record_is_closed_before_the_connection_is() {
    let daemon = recorded().start();
    let mut client = log_in(&daemon, "nobody", "geheim", "230 ");
    let pid = daemon.session_pid();
    client.ask("QUIT", "221 ");
    client.eof();
    came_and_went(&daemon, pid);
}

#[test]
fn a_session_that_is_killed_is_recorded_as_it_goes_all_the_same() {
    let daemon = recorded().start();
    let _client = log_in(&daemon, "nobody", "geheim", "230 ");
    let pid = daemon.session_pid();
    kill(pid, Signal::SIGKILL);
    daemon.wait_exit();
    came_and_went(&daemon, pid);
}

#[test]
fn the_end_is_recorded_by_whoever_comes_after_a_zygote_and_after_the_daemon() {
    let mut daemon = recorded().start();
    let _client = log_in(&daemon, "nobody", "geheim", "230 ");
    let pid = daemon.session_pid();
    let zygote = daemon.zygote();
    kill(zygote, Signal::SIGKILL);
    wait_until(|| daemon.zygote() != zygote);
    kill(pid, Signal::SIGKILL);
    daemon.wait_exit();
    came_and_went(&daemon, pid);
    assert_eq!(daemon.stop(), 0);
    came_and_went(&daemon, pid);
}

#[test]
fn whom_the_system_does_not_know_and_who_fails_is_not_recorded() {
    let daemon = recorded().start();
    log_in(&daemon, "anna", "geheim", "230 ").ask("QUIT", "221 ");
    log_in(&daemon, "nobody", "falsch", "530 ").ask("QUIT", "221 ");
    log_in(&daemon, "anonymous", "guest@", "530 ").close();
    daemon.wait_exits(3);
    assert_eq!(records(&daemon.path("wtmp")), []);
}

#[test]
fn nothing_is_recorded_unless_it_is_wanted() {
    let users = || with_users("nobody:GEHEIM:/anna\n").file("wtmp", "");
    for setup in [users(), users().host("wtmp = 'off'")] {
        let daemon = setup.start();
        log_in(&daemon, "nobody", "geheim", "230 ").ask("QUIT", "221 ");
        daemon.wait_exit();
        assert_eq!(records(&daemon.path("wtmp")), []);
    }
}

#[test]
fn last_reads_it() {
    if !needs("last") {
        return;
    }
    let daemon = recorded().start();
    let mut client = log_in(&daemon, "nobody", "geheim", "230 ");
    let last = || {
        let file = daemon.path("wtmp");
        let output = Command::new("last").arg("-w").arg("-f").arg(file).output().expect("last");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let line = format!("exeunt:{}", daemon.session_pid());
    let is_about = |text: &str| text.lines().next().unwrap_or_default().starts_with("nobody");
    let before = last();
    assert!(is_about(&before) && before.contains(&line), "{before}");
    client.ask("QUIT", "221 ");
    daemon.wait_exit();
    let after = last();
    assert!(is_about(&after) && after.contains("(00:00)"), "{after}");
}

#[test]
fn a_file_that_is_not_there_is_a_mistake() {
    let output = with_users("").host("wtmp = 'none/wtmp'").check();
    assert_eq!(output.status, 4);
    let why = "none/wtmp: No such file or directory";
    assert!(output.text.contains("logins cannot be recorded in"), "{}", output.text);
    assert!(output.text.contains(why) && output.text.contains("modules.toml:"), "{}", output.text);
}
