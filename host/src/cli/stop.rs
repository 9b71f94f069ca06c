//! `exeunt stop`: ends the daemon, and waits until it is gone.

use std::io::{self, ErrorKind};
use std::time::Duration;

use super::Streams;
use super::daemon::{Daemon, no_answer, said_no};
use super::refusal::{ExitStatus, Failure, Refusal};
use crate::control::{Reply, Request};

pub(super) fn run(
    daemon: &Daemon,
    grace: Option<Duration>,
    now: bool,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let grace = if now { Some(Duration::ZERO) } else { grace };
    let grace = grace.map(|grace| u64::try_from(grace.as_millis()).unwrap_or(u64::MAX - 1));
    let mut stream = daemon.ask(Request::Stop { grace })?;
    let answer = Reply::receive(&stream);
    match &answer {
        Ok(reply) if !reply.done => return Err(said_no(reply).into()),
        Err(error) if !is_end(error) => return Err(no_answer(error).into()),
        _ => {}
    }
    match io::copy(&mut stream, &mut io::sink()) {
        Err(error) if !is_end(&error) => return Err(no_answer(&error).into()),
        _ => {}
    }
    // Whoever ends without an answer may have refused it.
    if let Err(error) = answer
        && is_running(daemon)?
    {
        return Err(no_answer(&error).into());
    }
    streams.say("stopped\n")
}

/// Whether the other side closed the connection.
fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)
}

fn is_running(daemon: &Daemon) -> Result<bool, Refusal> {
    match daemon.ask(Request::Status) {
        Ok(_) => Ok(true),
        Err(refusal) if refusal.status == ExitStatus::NoDaemon => Ok(false),
        Err(refusal) => Err(refusal),
    }
}
