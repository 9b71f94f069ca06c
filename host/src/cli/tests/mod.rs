//! The commands against a daemon that is played by a thread, and against files.

mod asking;
mod ending;
mod journal;
mod showing;

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use super::daemon::Daemon;
use super::refusal::{Failure, Refusal};
use super::{Client, Streams, obey};
use crate::control::{self, REQUEST_SIZE, Reply, Request};

/// A plan of two modules.
pub(super) const PLAN: &str = r#"{"generation":1,
    "modules":[{"name":"ftp","version":"0.1.0","sha256":"0123456789abcdef","file":"libftp.so"},
               {"name":"exit_report","version":"0.2.0","sha256":"ba98765432100000","file":"x.so"}],
    "events":[{"event":"core.exit","listeners":[{"module":"ftp","listener":"summary"},
                                                {"module":"exit_report","listener":"report"}]},
              {"event":"core.shutdown","listeners":[{"module":"exit_report","listener":"bye"}]}],
    "protocols":[],"listens":[]}"#;

const STATUS: &str = r#"{"pid":4711,"started":"2026-01-02T03:04:05.678Z","config":"/etc/a.toml",
    "user":"nobody","incarnation":"tk3f9a","refused":{"capacity":3},"journal_failures":0,
    "generations":[{"generation":1,"pid":4712,"state":"active","sessions":1}]}"#;

/// A scratch folder that is both runtime and state directory.
fn place() -> (TempDir, Daemon) {
    let dir = tempfile::tempdir().expect("a scratch folder");
    let (runtime_dir, state_dir) = (dir.path().to_owned(), dir.path().to_owned());
    let daemon = Daemon { config: "/etc/a.toml".into(), runtime_dir, state_dir };
    (dir, daemon)
}

/// Plays a daemon for as many requests as there are acts; gives back what was asked.
fn play(
    daemon: &Daemon,
    acts: Vec<Box<dyn FnOnce(UnixStream) + Send>>,
) -> JoinHandle<Vec<Request>> {
    let listener = control::listen(&daemon.runtime_dir, None).expect("a socket");
    let act = move |act: Box<dyn FnOnce(UnixStream) + Send>| {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut bytes = [0; REQUEST_SIZE];
        stream.read_exact(&mut bytes).expect("a request");
        act(stream);
        Request::decode(&bytes).expect("a request")
    };
    thread::spawn(move || acts.into_iter().map(act).collect())
}

fn reply(reply: Reply) -> Box<dyn FnOnce(UnixStream) + Send> {
    Box::new(move |stream| reply.send(&stream))
}

fn status() -> Box<dyn FnOnce(UnixStream) + Send> {
    reply(Reply::done(STATUS))
}

/// Does a command; gives back how it ended, its output and its notes.
fn run(command: &Client, daemon: &Daemon) -> (Result<(), Failure>, String, String) {
    run_with(|streams| obey(command, daemon, streams))
}

fn run_with(
    command: impl FnOnce(&mut Streams<'_>) -> Result<(), Failure>,
) -> (Result<(), Failure>, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let done = command(&mut Streams { out: &mut out, err: &mut err });
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (done, text(out), text(err))
}

fn refusal(done: Result<(), Failure>) -> Refusal {
    match done {
        Err(Failure::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn kick(session: &str) -> Client {
    Client::Kick { session: session.parse().expect("an id") }
}
