//! Folders: where a client stands, what it makes and removes, and that nothing is above the root.

use std::fs;
use std::os::unix::fs::symlink;

use super::logged_in;

#[test]
fn folders_are_entered_and_left() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("PWD", "257 \"/\""),
        ("XPWD", "257 \"/\""),
        ("CWD music", "250"),
        ("PWD", "257 \"/music\""),
        ("CDUP", "250"),
        ("XCWD music", "250"),
        ("XCUP", "250"),
        ("PWD", "257 \"/\""),
        ("CWD nosuch", "550"),
        ("CWD a.txt", "550"),
        ("CWD", "501"),
        ("PWD", "257 \"/\""),
    ]);
}

#[test]
fn nothing_is_above_the_root() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("CWD ..", "250"),
        ("PWD", "257 \"/\""),
        ("CDUP", "250"),
        ("PWD", "257 \"/\""),
        ("CWD /etc", "550"),
        ("CWD music/../../..", "250"),
        ("PWD", "257 \"/\""),
        ("SIZE ../a.txt", "213 11"),
        ("SIZE ../../etc/passwd", "550"),
        ("SIZE absolute", "550"),
        ("MDTM up", "550"),
        ("MLST up", "550"),
        ("RETR absolute", "550"),
        ("RETR ../secret", "550"),
        ("RETR up", "550"),
        ("SIZE within", "213 11"),
    ]);
}

#[test]
fn a_link_of_somebody_else_does_not_lead_out_nor_widen_what_may_be_written() {
    let (tree, _daemon, mut ftp) = logged_in();
    symlink("/etc", tree.path("incoming/etc")).expect("a link");
    symlink("..", tree.path("incoming/back")).expect("a link");
    symlink("../a.txt", tree.path("incoming/file")).expect("a link");
    ftp.table(&[
        ("CWD incoming/etc", "550"),
        ("RETR incoming/etc/passwd", "550"),
        ("STOR incoming/back/new", "550"),
        ("STOR incoming/file", "550"),
        ("DELE incoming/back/a.txt", "550"),
        ("SITE CHMOD 777 incoming/file", "550"),
    ]);
    assert_eq!(tree.read("a.txt"), b"hello world");
}

#[test]
fn folders_are_made_and_removed_where_writing_is_allowed() {
    let (tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("MKD incoming/n", "257 \"/incoming/n\""),
        ("MKD incoming/n/m", "257"),
        ("RMD incoming/n", "550"),
        ("RMD incoming/n/m", "250"),
        ("RMD incoming/n", "250"),
        ("RMD incoming/n", "550"),
        ("XMKD incoming/x", "257"),
        ("XRMD incoming/x", "250"),
        ("MKD n", "550"),
        ("RMD music", "550"),
        ("RMD incoming", "550"),
        ("RMD /", "550"),
        ("MKD", "501"),
    ]);
    assert!(tree.path("music").is_dir() && !tree.path("n").exists());
}

#[test]
fn a_name_that_exists_is_not_made_again() {
    let (tree, _daemon, mut ftp) = logged_in();
    assert_eq!(ftp.store("STOR incoming/f", b"x"), "150 226");
    ftp.table(&[("MKD incoming/n", "257"), ("MKD incoming/n", "550"), ("MKD incoming/f", "550")]);
    assert_eq!(tree.read("incoming/f"), b"x");
}

#[test]
fn quotes_in_a_name_are_doubled_and_blanks_kept() {
    let (tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("MKD incoming/x\"y", "257 \"/incoming/x\"\"y\""),
        ("CWD incoming/x\"y", "250"),
        ("PWD", "257 \"/incoming/x\"\"y\""),
        ("MKD  a b ", "257 \"/incoming/x\"\"y/ a b \""),
    ]);
    assert!(tree.path("incoming/x\"y/ a b ").is_dir());
}

#[test]
fn a_folder_that_is_gone_can_be_left() {
    let (tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[("MKD incoming/n", "257"), ("CWD incoming/n", "250")]);
    fs::remove_dir(tree.path("incoming/n")).expect("to remove it");
    assert_eq!(ftp.fetch("LIST").0, "150 450");
    ftp.table(&[("PWD", "257 \"/incoming/n\""), ("CDUP", "250"), ("PWD", "257 \"/incoming\"")]);
}
