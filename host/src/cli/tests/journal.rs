//! What is shown of ended sessions.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use super::*;
use crate::cli::exits;

fn line(session: u32) -> String {
    let listener = r#"{"module":"ftp","listener":"summary","outcome":"done","error":null,
        "ms":0.24,"by":"session","attempt":1}"#
        .replace('\n', "");
    format!(
        r#"{{"session":"tk-{session}","generation":1,"user":null,"peer":"::1","cause":"signal","detail":"KILL","ended":"E","duration_ms":1500,"sealed":true,"replayed":false,"listeners":[{listener}]}}"#
    ) + "\n"
}

fn lines(sessions: std::ops::RangeInclusive<u32>) -> String {
    sessions.map(line).collect()
}

fn write(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).expect("a journal");
}

/// The sessions that a command showed.
fn sessions(out: &str) -> Vec<&str> {
    out.split_whitespace().filter(|word| word.starts_with("tk-")).collect()
}

fn exits(last: usize, json: bool) -> Client {
    Client::Exits { last, follow: false, json }
}

#[test]
fn an_exit_shows_its_listeners_aligned() {
    let (dir, daemon) = place();
    let second = r#",{"module":"quota","listener":"t","outcome":"failed","error":"no\nroom","ms":12,"by":"runner","attempt":2}]}"#;
    let text = line(7).replace("]}", second);
    write(dir.path(), "exits.jsonl", &text);
    let expected = "\
E  tk-7  -  ::1  signal (KILL)  1.5 s
  1  ftp/summary  done    0.2 ms   session
  2  quota/t      failed  12.0 ms  runner, attempt 2  no\\nroom
";
    assert_eq!(run(&exits(20, false), &daemon).1, expected);
}

#[test]
fn for_programs_a_line_passes_as_it_is() {
    let (dir, daemon) = place();
    write(dir.path(), "exits.jsonl", &lines(1..=2));
    assert_eq!(run(&exits(20, true), &daemon).1, lines(1..=2));
}

#[test]
fn without_a_journal_there_is_nothing_to_show() {
    let (_dir, daemon) = place();
    let (done, out, err) = run(&exits(20, false), &daemon);
    assert!(done.is_ok());
    assert_eq!(out + &err, "");
}

#[test]
fn the_last_exits_are_found_in_both_files() {
    let (dir, daemon) = place();
    write(dir.path(), "exits.jsonl.1", &lines(1..=600));
    write(dir.path(), "exits.jsonl", &lines(601..=602));
    let shown = |last| run(&exits(last, false), &daemon).1;
    assert_eq!(sessions(&shown(1)), ["tk-602"]);
    assert_eq!(sessions(&shown(3)), ["tk-600", "tk-601", "tk-602"]);
    // Far enough back that a block ends within a line.
    assert_eq!(sessions(&shown(500))[0], "tk-103");
    assert_eq!(sessions(&shown(0)).len(), 602);
    assert_eq!(sessions(&shown(1000)).len(), 602);
}

#[test]
fn torn_and_foreign_lines_are_counted_and_skipped() {
    let (dir, daemon) = place();
    let text = format!("{}{{\"session\":\n{}[1]\n{}{{\"se", line(1), line(2), line(3));
    write(dir.path(), "exits.jsonl", &text);
    let (_, out, err) = run(&exits(3, false), &daemon);
    assert_eq!(sessions(&out), ["tk-1", "tk-2", "tk-3"]);
    assert_eq!(err, "note: 3 lines of the journal could not be understood, and skipped\n");
}

#[test]
fn following_goes_on_in_a_line_that_was_half_written_and_across_a_rotation() {
    let (dir, daemon) = place();
    let path = dir.path().join("exits.jsonl");
    let append = |text: &str| {
        let mut file = File::options().append(true).create(true).open(&path).expect("a journal");
        file.write_all(text.as_bytes()).expect("a line");
    };
    let three = line(3);
    let mut acts: Vec<Box<dyn Fn()>> = vec![
        Box::new(|| {
            append(&line(4));
            fs::rename(&path, dir.path().join("exits.jsonl.1")).expect("a rotation");
            append(&line(5));
        }),
        Box::new(|| append(&three[20..])),
        Box::new(|| append(&format!("{}{}", line(2), &three[..20]))),
        Box::new(|| append(&line(1))),
    ];
    let mut wait = || acts.pop().map(|act| act()).is_some();
    let (_, out, err) = run_with(|s| exits::run(&daemon, 1, false, Some(&mut wait), s));
    assert_eq!(sessions(&out), ["tk-1", "tk-2", "tk-3", "tk-4", "tk-5"]);
    assert_eq!(err, "");
}
