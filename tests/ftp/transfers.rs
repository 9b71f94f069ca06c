//! Transfers that come to their end: what is sent, and what then lies on disk.

use super::{BIG, logged_in};

#[test]
fn a_file_is_fetched_as_it_is() {
    let (tree, _daemon, mut ftp) = logged_in();
    assert_eq!(ftp.fetch("RETR a.txt"), ("150 226".to_owned(), b"hello world".to_vec()));
    assert_eq!(ftp.fetch("RETR crlf.txt").1, b"one\ntwo\n");
    assert_eq!(ftp.fetch("RETR within").1, b"hello world");
    assert_eq!(ftp.fetch("RETR music/scale.txt").1, tree.read("music/scale.txt"));
    let (codes, content) = ftp.fetch("RETR big");
    assert_eq!((codes.as_str(), content.len() as u64), ("150 226", BIG));
    let _data = ftp.data();
    assert!(ftp.ask("RETR a.txt")[0].contains("(11 bytes)"));
}

#[test]
fn what_cannot_be_fetched_is_refused() {
    let (_tree, _daemon, mut ftp) = logged_in();
    for name in ["nosuch", "music", "absolute", "up"] {
        assert_eq!(ftp.fetch(&format!("RETR {name}")).0, "550", "{name}");
    }
    ftp.table(&[("ABOR", "226"), ("RETR a.txt", "425"), ("RETR", "501")]);
}

#[test]
fn a_refused_transfer_leaves_the_agreement() {
    let (_tree, _daemon, mut ftp) = logged_in();
    let _data = ftp.data();
    ftp.table(&[("RETR nosuch", "550"), ("RETR a.txt", "150")]);
    assert_eq!(ftp.code(), "226");
}

#[test]
fn a_file_is_stored_and_replaced() {
    let (tree, _daemon, mut ftp) = logged_in();
    let content: Vec<u8> = (0_u32..2_000_000).flat_map(u32::to_le_bytes).collect();
    assert_eq!(ftp.store("STOR incoming/f", &content), "150 226");
    assert!(tree.read("incoming/f") == content, "another content");
    assert!(ftp.fetch("RETR incoming/f").1 == content, "another content");
    assert_eq!(ftp.store("STOR incoming/f", b"short"), "150 226");
    assert_eq!(tree.read("incoming/f"), b"short");
    assert_eq!(ftp.store("STOR incoming/f", b""), "150 226");
    assert_eq!(tree.read("incoming/f"), b"");
}

#[test]
fn nothing_is_stored_where_writing_is_not_allowed() {
    let (tree, _daemon, mut ftp) = logged_in();
    for name in ["new", "a.txt", "music/new", "incoming", "incoming/no/new", "incoming/../new"] {
        assert_eq!(ftp.store(&format!("STOR {name}"), b"x"), "550", "{name}");
        assert_eq!(ftp.store(&format!("APPE {name}"), b"x"), "550", "{name}");
    }
    assert_eq!(ftp.store("STOU", b"x"), "550");
    assert!(!tree.path("new").exists() && !tree.path("music/new").exists());
    assert_eq!(tree.read("a.txt"), b"hello world");
}

#[test]
fn without_a_data_connection_the_disk_stays_as_it_is() {
    let (tree, _daemon, mut ftp) = logged_in();
    assert_eq!(ftp.store("STOR incoming/f", b"old"), "150 226");
    ftp.table(&[
        ("STOR incoming/f", "425"),
        ("APPE incoming/f", "425"),
        ("STOR incoming/new", "425"),
        ("STOU", "550"),
        ("EPRT |1|127.0.0.1|1024|", "200"),
        ("STOR incoming/f", "150"),
    ]);
    assert_eq!(ftp.code(), "425");
    assert_eq!(tree.read("incoming/f"), b"old");
    assert!(!tree.path("incoming/new").exists());
}

#[test]
fn line_ends_are_converted_in_type_a() {
    let (tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[("TYPE A", "200")]);
    assert_eq!(ftp.fetch("RETR crlf.txt").1, b"one\r\ntwo\r\n");
    assert_eq!(ftp.store("STOR incoming/t", b"x\r\ny\rz\r\n\r"), "150 226");
    assert_eq!(tree.read("incoming/t"), b"x\ny\rz\n\r");
    let (codes, content) = ftp.fetch("RETR big");
    assert_eq!((codes.as_str(), content.len() as u64), ("150 226", BIG));
}

#[test]
fn types_modes_and_structures() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("TYPE L 8", "200"),
        ("TYPE A N", "200"),
        ("type i", "200"),
        ("TYPE E", "504"),
        ("TYPE L 7", "504"),
        ("TYPE", "500"),
        ("MODE S", "200"),
        ("MODE B", "504"),
        ("MODE X", "501"),
        ("STRU F", "200"),
        ("STRU R", "504"),
        ("STRU X", "501"),
    ]);
}

#[test]
fn a_download_can_start_further_on() {
    let (_tree, _daemon, mut ftp) = logged_in();
    for (offset, codes, content) in [
        ("5", "150 226", " world"),
        ("0", "150 226", "hello world"),
        ("11", "150 226", ""),
        ("12", "554", ""),
        ("18446744073709551615", "554", ""),
    ] {
        ftp.table(&[(&format!("REST {offset}"), "350")]);
        assert_eq!(ftp.fetch("RETR a.txt"), (codes.to_owned(), content.as_bytes().to_vec()));
    }
    assert_eq!(ftp.fetch("RETR a.txt").1, b"hello world", "an offset counts once");
}

#[test]
fn an_offset_is_a_number_and_for_binary_only() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("REST", "501"),
        ("REST -1", "501"),
        ("REST x", "501"),
        ("REST 18446744073709551616", "501"),
        ("REST 5", "350"),
        ("TYPE A", "200"),
        ("REST 5", "501"),
        ("REST 0", "350"),
    ]);
    assert_eq!(ftp.fetch("RETR a.txt").1, b"hello world");
}

#[test]
fn an_upload_can_go_on_and_what_lies_behind_it_stays() {
    let (tree, _daemon, mut ftp) = logged_in();
    assert_eq!(ftp.store("STOR incoming/f", b"0123456789"), "150 226");
    ftp.table(&[("REST 5", "350")]);
    assert_eq!(ftp.store("STOR incoming/f", b"AB"), "150 226");
    assert_eq!(tree.read("incoming/f"), b"01234AB789");
    ftp.table(&[("REST 11", "350")]);
    assert_eq!(ftp.store("STOR incoming/f", b"AB"), "554");
    ftp.table(&[("REST 1", "350")]);
    assert_eq!(ftp.store("STOR incoming/new", b"AB"), "554");
    assert!(!tree.path("incoming/new").exists());
    assert_eq!(tree.read("incoming/f"), b"01234AB789");
}

#[test]
fn appe_goes_on_at_the_end() {
    let (tree, _daemon, mut ftp) = logged_in();
    assert_eq!(ftp.store("APPE incoming/f", b"one"), "150 226");
    ftp.table(&[("REST 1", "350")]);
    assert_eq!(ftp.store("APPE incoming/f", b"two"), "150 226");
    assert_eq!(tree.read("incoming/f"), b"onetwo");
    assert_eq!(ftp.fetch("RETR incoming/f").1, b"onetwo");
}

#[test]
fn stou_tells_a_name_that_is_new() {
    let (tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[("CWD incoming", "250")]);
    for number in ["1", "2"] {
        let data = ftp.data();
        let reply = ftp.ask("STOU").concat();
        let name = reply.strip_prefix("150 FILE: ").expect("a name").to_owned();
        std::io::Write::write_all(&mut &data, number.as_bytes()).expect("the data is taken");
        drop(data);
        assert_eq!(ftp.code(), "226");
        assert_eq!(tree.read(&format!("incoming/{name}")), number.as_bytes());
    }
}

#[test]
fn the_log_says_what_a_session_has_moved() {
    let (_tree, daemon, mut ftp) = logged_in();
    ftp.store("STOR incoming/f", b"abcde");
    ftp.fetch("RETR a.txt");
    ftp.table(&[("QUIT", "221")]);
    daemon.wait_exits(1);
    let summary = "stored 1 files (5 bytes), sent 1 (11 bytes), last /a.txt";
    assert!(daemon.log().contains(summary), "{}", daemon.log());
}
