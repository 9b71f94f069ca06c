//! A password is shown nowhere: not in `who`, not in the journal, not in the log, on no page of a file.

use std::fs;
use std::path::Path;

use super::Tree;
use super::dialogue::Ftp;
use crate::harness::{Daemon, Process, Signal};

const SECRET: &str = "sW0rdf1sh";

#[test]
fn a_password_is_written_down_nowhere() {
    let tree = Tree::new();
    let setup = tree.served_with("").module("exit_report").host("capacity = 16");
    let daemon = setup.log("level = 'debug'").start();
    let dialogues: [&[&str]; 5] = [
        &["USER nosuch", "PASS {}"],
        &["USER anonymous", "pass {}"],
        &["PASS {}"],
        &["PAS {}"],
        &["USER anonymous", "PASS {}", "PASS {}"],
    ];
    for (number, commands) in dialogues.iter().enumerate() {
        let mut ftp = Ftp::connect(&daemon);
        for command in *commands {
            ftp.ask(&command.replace("{}", SECRET));
        }
        let who = daemon.exeunt(&["who", "--json"]).text + &daemon.exeunt(&["who"]).text;
        assert!(who.contains("PAS") && !who.contains(SECRET), "{who}");
        nowhere(&daemon);
        // A runner tells the last command of a session that could not do so itself.
        Process(daemon.session_pid()).signal(Signal::SIGKILL);
        daemon.wait_exits(number + 1);
    }
    assert!(daemon.log().contains("last command PASS"), "{}", daemon.log());
    nowhere(&daemon);
}

/// No file of the daemon has the secret in it.
#[track_caller]
fn nowhere(daemon: &Daemon) {
    let mut searched = Vec::new();
    for name in ["run", "state", "log"] {
        search(&daemon.path(name), &mut searched);
    }
    for name in ["ledger.", "scoreboard.", "exits.jsonl", "log"] {
        assert!(searched.iter().any(|found| found.starts_with(name)), "{name} in {searched:?}");
    }
}

#[track_caller]
fn search(path: &Path, searched: &mut Vec<String>) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if path.is_dir() && name != "modules" {
        let inside = fs::read_dir(path).expect("a folder");
        inside.for_each(|entry| search(&entry.expect("an entry").path(), searched));
    } else if path.is_file() {
        let bytes = fs::read(path).expect("a file of the daemon");
        let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!found, "the password is in {}", path.display());
        searched.push(name);
    }
}
