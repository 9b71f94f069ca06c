//! `exeunt ctl`: calls a control action of a module.

use super::Streams;
use super::daemon::{Daemon, no_answer, said_no};
use super::refusal::Failure;
use crate::control::{self, Reply};

pub(super) fn run(
    daemon: &Daemon,
    module: &str,
    action: &str,
    arguments: &[String],
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let mut words = vec![module.to_owned(), action.to_owned()];
    words.extend_from_slice(arguments);
    let stream = control::call(&daemon.runtime_dir, &words).map_err(|e| daemon.unreachable(&e))?;
    // The action has a deadline, at which the connection closes: there is no need for another one.
    let reply = Reply::receive(&stream).map_err(|e| no_answer(&e))?;
    if !reply.done {
        return Err(said_no(&reply).into());
    }
    streams.say(&reply.text)?;
    if reply.text.is_empty() || reply.text.ends_with('\n') { Ok(()) } else { streams.say("\n") }
}
