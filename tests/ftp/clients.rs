//! Real clients, as the operators of an FTP server have them; and a daemon without root.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use super::dialogue::Ftp;
use super::{Tree, served};
use crate::harness::{Daemon, needs};

#[test]
fn curl_lists_and_downloads() {
    if !needs("curl") {
        return;
    }
    let (_tree, daemon) = served();
    let url = url(&daemon);
    let all = run("curl", &["-sS", &url], "").expect("a listing");
    assert!(all.contains(" a.txt\n") && all.contains("incoming"), "{all}");
    assert!(run("curl", &["-sS", "-l", &url], "").expect("names").lines().any(|l| l == "a.txt"));
    let file = format!("{url}a.txt");
    for (options, content) in [
        (&["-sS"][..], "hello world"),
        (&["-sS", "--disable-epsv"], "hello world"),
        (&["-sS", "-P", "-"], "hello world"),
        (&["-sS", "-r", "6-"], "world"),
    ] {
        let options = [options, &[&file]].concat();
        assert_eq!(run("curl", &options, "").as_deref(), Ok(content), "{options:?}");
    }
    assert!(daemon.wait_exits(6).iter().all(|exit| exit.cause == "client-quit"));
}

#[test]
fn curl_uploads_where_it_may() {
    if !needs("curl") {
        return;
    }
    let (tree, daemon) = served();
    let to = format!("{}incoming/c.txt", url(&daemon));
    assert_eq!(run("curl", &["-sS", "-T", "-", &to], "from curl").as_deref(), Ok(""));
    assert_eq!(tree.read("incoming/c.txt"), b"from curl");
    assert_eq!(run("curl", &["-sS", "-a", "-T", "-", &to], " again").as_deref(), Ok(""));
    assert_eq!(tree.read("incoming/c.txt"), b"from curl again");
    let elsewhere = format!("{}c.txt", url(&daemon));
    let refused = run("curl", &["-sS", "-T", "-", &elsewhere], "x").expect_err("a refusal");
    assert!(refused.contains("curl: (25)"), "{refused}");
    assert_eq!(tree.length("c.txt"), None);
}

#[test]
fn ftplib_does_all_that_it_can() {
    if !needs("python3") {
        return;
    }
    let (tree, daemon) = served();
    let script = format!("PORT = {}\n{FTPLIB}", daemon.port(None));
    assert_eq!(run("python3", &["-"], &script).as_deref(), Ok("done\n"));
    assert_eq!(tree.read("incoming/lib"), b"from ftplib");
    assert_eq!(daemon.wait_exit().cause, "client-quit");
}

const FTPLIB: &str = r#"
import ftplib, io
ftp = ftplib.FTP()
ftp.connect("127.0.0.1", PORT, timeout=10)
ftp.login()
assert "a.txt" in ftp.nlst()
ftp.storbinary("STOR incoming/lib", io.BytesIO(b"from ftplib"))
got = io.BytesIO()
ftp.retrbinary("RETR incoming/lib", got.write)
assert got.getvalue() == b"from ftplib"
facts = dict(ftp.mlsd("incoming", ["size", "type"]))
assert facts["lib"] == {"type": "file", "size": "11"}, facts
ftp.voidcmd("TYPE I")
assert ftp.size("a.txt") == 11 and ftp.pwd() == "/"
assert ftp.mkd("incoming/d") == "/incoming/d"
assert ftp.cwd("incoming").startswith("250")
ftp.rename("d", "e")
ftp.rmd("e")
ftp.cwd("/")
data = ftp.transfercmd("RETR big")
data.recv(1000)
assert ftp.abort().startswith("426")
data.close()
assert ftp.getresp().startswith("226")
lines = []
ftp.retrlines("RETR crlf.txt", lines.append)
assert lines == ["one", "two"]
try:
    ftp.storbinary("STOR a.txt", io.BytesIO(b"x"))
except ftplib.error_perm as refusal:
    assert str(refusal).startswith("550")
else:
    raise AssertionError("a.txt was overwritten")
ftp.quit()
print("done")
"#;

#[test]
fn lftp_mirrors_in_both_directions() {
    if !needs("lftp") {
        return;
    }
    let (tree, daemon) = served();
    let local = tree.beside("mirror");
    let commands = format!(
        "set net:max-retries 1; set cmd:fail-exit yes; open {url}; \
         mirror --exclude ^big$ / {local}; mirror -R {local}/music incoming/back; \
         mv incoming/back/scale.txt incoming/s; rm -r incoming/back; quit",
        url = url(&daemon),
        local = local.display(),
    );
    run("lftp", &["--norc", "-c", &commands], "").expect("lftp is content");
    for name in ["a.txt", "ABOUT.txt", "music/scale.txt"] {
        assert_eq!(fs::read(local.join(name)).expect(name), tree.read(name), "{name}");
    }
    assert_eq!(tree.read("incoming/s"), tree.read("music/scale.txt"));
    assert!(!tree.path("incoming/back").exists());
}

#[test]
fn a_daemon_without_root_serves_the_same() {
    let tree = Tree::new();
    let daemon = tree.served_with("").module("exit_report").as_nobody().start();
    let mut ftp = Ftp::login(&daemon);
    assert_eq!(ftp.fetch("RETR a.txt"), ("150 226".to_owned(), b"hello world".to_vec()));
    assert_eq!(ftp.store("STOR incoming/f", b"x"), "150 226");
    assert_eq!(ftp.store("STOR f", b"x"), "550");
    assert!(ftp.lines("NLST").contains(&"a.txt".to_owned()));
    ftp.table(&[("QUIT", "221")]);
    ftp.eof();
    let exit = daemon.wait_exit();
    assert_eq!((exit.cause.as_str(), exit.outcomes().as_str()), ("client-quit", "done done"));
    assert_eq!(exit.user.as_deref(), Some("anonymous"));
}

fn url(daemon: &Daemon) -> String {
    format!("ftp://127.0.0.1:{}/", daemon.port(None))
}

/// Runs a program: what it says, or what it complains about if it is not content.
fn run(program: &str, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut command = Command::new(program);
    // A proxy or the settings of whoever runs the tests have no place here.
    command.args(arguments).env("no_proxy", "*").env_remove("ftp_proxy");
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("the program can be run");
    // It may have ended without reading: what it says about that is more interesting.
    let _unread = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("it speaks UTF-8");
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}
