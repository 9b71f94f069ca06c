//! The command line as an operator and a program use it: what it answers, and its exit statuses.

mod asking;
mod broken;
mod control;
mod ending;
mod journal;
mod modules;

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::harness::*;

/// A daemon with two modules that listen for ends, and one open session.
fn with_session() -> (Daemon, Client) {
    let daemon = Setup::new().module("trace_b").module("trace_a").listen("echo").start();
    let mut client = daemon.connect();
    client.expect("hello");
    (daemon, client)
}

/// The id of the one session that is open.
#[track_caller]
fn session_id(daemon: &Daemon) -> String {
    let who = daemon.json("who");
    let ids: Vec<_> = who["sessions"].as_array().expect("a list").iter().collect();
    assert_eq!(ids.len(), 1, "{who}");
    ids[0]["session"].as_str().expect("an id").to_owned()
}

/// Runs a client command as the user `nobody`, without any group but its own.
#[track_caller]
fn as_nobody(daemon: &Daemon, words: &[&str]) -> Output {
    let nobody = nix::unistd::User::from_name("nobody").expect("users").expect("nobody");
    let mut command = Command::new(env!("CARGO_BIN_EXE_exeunt"));
    command.args(words).arg("-c").arg(daemon.path("modules.toml"));
    command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
    output(&mut command)
}

#[track_caller]
fn output(command: &mut Command) -> Output {
    let output = command.output().expect("the command can be run");
    let text = |bytes| String::from_utf8(bytes).expect("it speaks UTF-8");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    let status = output.status.code().expect("the command exits");
    Output { status, text: format!("{stdout}{stderr}"), stdout, stderr }
}
