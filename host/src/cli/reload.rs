//! `exeunt reload`: a new generation of modules, or the reason why not.

use super::Streams;
use super::daemon::{Daemon, no_answer};
use super::refusal::{ExitStatus, Failure, Refusal};
use crate::control::{Reply, Request};

/// Asks for the reload and waits for its outcome; how long it may take is the daemon's to say.
pub(super) fn run(
    daemon: &Daemon,
    previous: bool,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let stream = daemon.ask(Request::Reload { previous })?;
    let reply = Reply::receive(&stream).map_err(|error| no_answer(&error))?;
    if reply.done {
        return streams.say(&format!("{} serves\n", reply.text));
    }
    // The daemon's text is the candidate's report, with every problem at its place.
    let status = if reply.unusable { ExitStatus::Unusable } else { ExitStatus::No };
    Err(Refusal { status, text: reply.text }.into())
}
