//! LIST, NLST, MLSD and MLST: which names, in which form.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use super::logged_in;

#[test]
fn a_listing_has_a_line_for_each_name_that_is_not_hidden() {
    let (_tree, _daemon, mut ftp) = logged_in();
    let lines = ftp.lines("LIST");
    let names: Vec<_> = lines.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    let expected = [
        "ABOUT.txt",
        "a.txt",
        "absolute",
        "big",
        "crlf.txt",
        "incoming",
        "music",
        "up",
        "welcome.txt",
        "within",
    ];
    assert_eq!(names, expected);
    let words: Vec<_> = lines[1].split_whitespace().collect();
    assert_eq!((words[0], words[4], words.len()), ("-rw-r--r--", "11", 9), "{}", lines[1]);
    assert!(lines[5].starts_with("drwxrwxrwx"), "{}", lines[5]);
}

#[test]
fn options_of_ls_are_taken_and_a_shows_what_is_hidden() {
    let (_tree, _daemon, mut ftp) = logged_in();
    let all = ftp.lines("LIST -a");
    for name in [" .", " ..", " .hidden", " a.txt"] {
        assert!(all.iter().any(|line| line.ends_with(name)), "{name} in {all:?}");
    }
    assert_eq!(ftp.lines("LIST -la music").len(), 3);
    assert_eq!(ftp.lines("LIST -l music").len(), 1);
    assert!(ftp.lines("NLST -a").contains(&".hidden".to_owned()));
}

#[test]
fn one_file_can_be_listed_and_what_is_missing_is_told_at_the_end() {
    let (_tree, _daemon, mut ftp) = logged_in();
    let lines = ftp.lines("LIST a.txt");
    assert!(lines.len() == 1 && lines[0].ends_with(" a.txt"), "{lines:?}");
    assert_eq!(ftp.fetch("LIST nosuch").0, "150 450");
    ftp.table(&[("LIST", "425"), ("NOOP", "200")]);
}

#[test]
fn links_look_like_what_they_lead_to_unless_they_lead_out() {
    let (_tree, _daemon, mut ftp) = logged_in();
    let lines = ftp.lines("LIST");
    let mode = |name: &str| {
        let line = lines.iter().find(|line| line.ends_with(&format!(" {name}")));
        line.map(|line| line[..1].to_owned())
    };
    assert_eq!(["within", "up", "absolute"].map(|name| mode(name).unwrap()), ["-", "l", "l"]);
}

#[test]
fn nlst_gives_names_that_retr_takes() {
    let (_tree, _daemon, mut ftp) = logged_in();
    assert!(ftp.lines("NLST").contains(&"a.txt".to_owned()));
    assert_eq!(ftp.lines("NLST music"), ["music/scale.txt"]);
    assert_eq!(ftp.lines("NLST a.txt"), ["a.txt"]);
    assert_eq!(ftp.fetch("NLST nosuch").0, "450");
    ftp.table(&[("CWD music", "250")]);
    assert_eq!(ftp.lines("NLST"), ["scale.txt"]);
    assert!(ftp.lines("NLST ../incoming").iter().all(|name| name.starts_with("../incoming/")));
}

#[test]
fn mlsd_shows_everything_with_its_facts() {
    let (_tree, _daemon, mut ftp) = logged_in();
    let lines = ftp.lines("MLSD");
    let begins = |name: &str| {
        let line = lines.iter().find(|line| line.ends_with(&format!("; {name}")));
        line.unwrap_or_else(|| panic!("no {name} in {lines:?}")).clone()
    };
    assert!(begins(".").starts_with("type=cdir;"));
    assert!(begins("..").starts_with("type=pdir;"));
    assert!(begins("music").starts_with("type=dir;"));
    assert!(begins("incoming").contains(";perm=elcmp;"));
    assert!(begins("a.txt").starts_with("type=file;size=11;"));
    assert!(begins("a.txt").contains(";perm=r;"));
    assert!(begins(".hidden").starts_with("type=file;size=1;"));
    assert_eq!(ftp.fetch("MLSD a.txt").0, "550");
    assert_eq!(ftp.fetch("MLSD nosuch").0, "550");
    assert_eq!(ftp.lines("MLSD music").len(), 3);
}

#[test]
fn mlst_shows_the_chosen_facts_of_one_thing() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("OPTS MLST size;modify;", "200"),
        ("OPTS foo", "500"),
        ("OPTS", "501"),
        ("OPTS UTF8 ON", "200"),
        ("OPTS UTF8 OFF", "501"),
        ("MLST nosuch", "550"),
    ]);
    let reply = ftp.ask("MLST a.txt");
    assert_eq!(reply.len(), 3, "{reply:?}");
    assert!(reply[0].starts_with("250-") && reply[2].starts_with("250 "), "{reply:?}");
    assert!(reply[1].starts_with(" size=11;modify=20"), "{reply:?}");
    assert!(reply[1].ends_with("; /a.txt") && reply[1].matches('=').count() == 2, "{reply:?}");
    assert!(ftp.ask("FEAT").iter().any(|line| line.contains(" MLST type;size*;modify*;perm;")));
    ftp.table(&[("OPTS MLST", "200")]);
    assert_eq!(ftp.ask("MLST a.txt")[1], "  /a.txt");
}

#[test]
fn a_name_cannot_add_a_line() {
    let (tree, _daemon, mut ftp) = logged_in();
    fs::write(tree.path("incoming/a\r\n226 b"), "").expect("a file with a strange name");
    fs::write(tree.path("incoming").join(OsStr::from_bytes(b"caf\xe9")), "").expect("a file");
    assert_eq!(ftp.lines("NLST incoming"), ["incoming/a??226 b", "incoming/caf\u{fffd}"]);
    for command in ["LIST incoming", "MLSD incoming", "STAT incoming"] {
        let lines = if command.starts_with("STAT") { ftp.ask(command) } else { ftp.lines(command) };
        assert_eq!(lines.iter().filter(|line| line.ends_with("a??226 b")).count(), 1, "{lines:?}");
    }
}

#[test]
fn a_folder_with_many_names_is_listed_whole() {
    let (tree, _daemon, mut ftp) = logged_in();
    for number in 0..3000 {
        fs::write(tree.path(&format!("incoming/{number:0>100}")), "").expect("a file");
    }
    ftp.table(&[("CWD incoming", "250")]);
    for command in ["NLST", "LIST", "MLSD"] {
        let lines = ftp.lines(command);
        assert_eq!(lines.iter().filter(|line| line.ends_with("099")).count(), 3, "{command}");
        assert!(lines.len() >= 3000, "{command}: {} lines", lines.len());
    }
}
