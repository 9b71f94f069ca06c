//! Files by name: removed, renamed, asked about; and what the server tells about itself.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, UNIX_EPOCH};

use super::dialogue::Ftp;
use super::{Tree, logged_in};

#[test]
fn files_are_removed_where_writing_is_allowed() {
    let (tree, _daemon, mut ftp) = logged_in();
    assert_eq!(ftp.store("STOR incoming/f", b"x"), "150 226");
    ftp.table(&[
        ("MKD incoming/n", "257"),
        ("DELE incoming/n", "550"),
        ("DELE incoming/f", "250"),
        ("DELE incoming/f", "550"),
        ("DELE a.txt", "550"),
        ("DELE", "501"),
    ]);
    assert!(!tree.path("incoming/f").exists() && tree.path("a.txt").exists());
}

#[test]
fn renaming_takes_two_commands_and_others_may_come_between() {
    let (tree, _daemon, mut ftp) = logged_in();
    assert_eq!(ftp.store("STOR incoming/f", b"x"), "150 226");
    ftp.table(&[
        ("RNTO incoming/g", "503"),
        ("RNFR incoming/nosuch", "550"),
        ("RNTO incoming/g", "503"),
        ("RNFR incoming/f", "350"),
        ("NOOP", "200"),
        ("RNTO incoming/g", "250"),
        ("RNTO incoming/h", "503"),
        ("RNFR a.txt", "550"),
        ("RNFR incoming/g", "350"),
        ("RNTO a.txt", "550"),
        ("RNTO incoming/h", "503"),
    ]);
    assert_eq!(tree.read("incoming/g"), b"x");
}

#[test]
fn without_overwrite_no_file_is_replaced() {
    let tree = Tree::new();
    let daemon = tree.served_with("overwrite = false").start();
    let mut ftp = Ftp::login(&daemon);
    for name in ["f", "g"] {
        assert_eq!(ftp.store(&format!("STOR incoming/{name}"), name.as_bytes()), "150 226");
    }
    assert_eq!(ftp.store("STOR incoming/f", b"new"), "550");
    assert_eq!(ftp.store("APPE incoming/f", b"new"), "550");
    ftp.table(&[
        ("RNFR incoming/f", "350"),
        ("RNTO incoming/g", "550"),
        ("RNFR incoming/f", "350"),
        ("RNTO incoming/h", "250"),
    ]);
    assert_eq!((tree.read("incoming/h"), tree.read("incoming/g")), (b"f".to_vec(), b"g".to_vec()));
}

#[test]
fn a_size_is_that_of_a_file_in_binary() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("SIZE a.txt", "213 11"),
        ("SIZE big", "213 67108864"),
        ("SIZE music", "550"),
        ("SIZE nosuch", "550"),
        ("SIZE", "501"),
        ("TYPE A", "200"),
        ("SIZE a.txt", "550"),
    ]);
}

#[test]
fn the_time_of_a_file_is_utc() {
    let (tree, _daemon, mut ftp) = logged_in();
    let time = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let file = File::options().write(true).open(tree.path("a.txt")).expect("a.txt");
    file.set_modified(time).expect("the time of a.txt");
    ftp.table(&[
        ("MDTM a.txt", "213 20010909014640"),
        ("MDTM nosuch", "550"),
        ("MDTM music", "550"),
        ("MDTM", "501"),
    ]);
    assert!(ftp.ask("MLST a.txt")[1].contains("modify=20010909014640;"));
}

#[test]
fn site_has_help_and_chmod() {
    let (tree, _daemon, mut ftp) = logged_in();
    assert_eq!(ftp.store("STOR incoming/f", b"x"), "150 226");
    ftp.table(&[
        ("SITE", "500"),
        ("SITE HELP", "214-"),
        ("SITE FOO", "500"),
        ("SITE CHMOD 640 incoming/f", "200"),
        ("SITE chmod 600 incoming/f", "200"),
        ("SITE CHMOD 600", "501"),
        ("SITE CHMOD 4755 incoming/f", "501"),
        ("SITE CHMOD 9 incoming/f", "501"),
        ("SITE CHMOD 600 incoming/nosuch", "550"),
        ("SITE CHMOD 777 a.txt", "550"),
    ]);
    let mode = fs::metadata(tree.path("incoming/f")).expect("f").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn help_knows_what_there_is() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("HELP", "214-"),
        ("HELP retr", "214 "),
        ("HELP FOO", "502"),
        ("HELP REIN", "502"),
    ]);
    let all = ftp.ask("HELP");
    let verbs: Vec<&str> =
        all[1..all.len() - 1].iter().flat_map(|line| line.split_whitespace()).collect();
    assert!(verbs.len() > 40, "{verbs:?}");
    for verb in verbs {
        assert!(ftp.ask(&format!("HELP {verb}"))[0].starts_with("214 "), "{verb}");
    }
}

#[test]
fn every_feature_that_is_told_of_is_there() {
    let (_tree, _daemon, mut ftp) = logged_in();
    let told = ftp.ask("FEAT");
    let features: Vec<&str> = told[1..told.len() - 1].iter().map(|line| line.trim()).collect();
    assert!(told[1..told.len() - 1].iter().all(|line| line.starts_with(' ')), "{told:?}");
    let known = [
        ("EPRT", "EPRT |1|127.0.0.1|5000|", "200"),
        ("EPSV", "EPSV", "229"),
        ("MDTM", "MDTM a.txt", "213"),
        ("MLST type*;size*;modify*;perm*;unique*;UNIX.mode*;", "MLST a.txt", "250"),
        ("REST STREAM", "REST 5", "350"),
        ("SIZE", "SIZE a.txt", "213"),
        ("TVFS", "SIZE /music/../a.txt", "213"),
        ("UTF8", "CWD nosuch-\u{e4}", "550"),
    ];
    assert_eq!(features, known.map(|(feature, _, _)| feature));
    ftp.table(&known.map(|(_, command, code)| (command, code)));
}

#[test]
fn stat_tells_of_the_session_or_of_a_path() {
    let (_tree, _daemon, mut ftp) = logged_in();
    assert!(ftp.ask("STAT").iter().any(|line| line.contains("Logged in as anonymous")));
    ftp.table(&[("STAT", "211-"), ("STAT a.txt", "213-"), ("STAT nosuch", "450")]);
    assert!(ftp.ask("STAT music")[1].ends_with(" scale.txt"));
}
