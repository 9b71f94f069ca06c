//! Control actions: each call runs in a fork of its own, which answers the client itself. Here: who may
//! run, and what a client is told whose action has died.

use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::{Child, Zygote};
use crate::action::{self, Call};
use crate::control::Reply;
use crate::log;
use crate::reap::Fate;
use crate::sys::{self, Fork};

/// The most actions at the same time.
const ACTIONS: usize = 16;

impl Zygote {
    /// Forks a process that calls the action; with the words of the call and the client's connection.
    pub(super) fn call_action(&mut self, with: Vec<OwnedFd>) {
        let Ok([words, client]) = <[OwnedFd; 2]>::try_from(with) else {
            return log::warn("a call came without its words or its client");
        };
        let client = UnixStream::from(client);
        if self.actions.len() == ACTIONS {
            return Reply::refused("too many control actions are running").send(&client);
        }
        match sys::fork() {
            Ok(Fork::Child) => {
                let life = self.life.as_raw_fd();
                action::run(self.generation, Call { words, client, life })
            }
            Ok(Fork::Parent(pid)) => {
                self.children.insert(pid.as_raw(), Child::Action);
                self.actions.insert(pid.as_raw(), client);
            }
            Err(e) => Reply::refused(format!("there is no process for it: {e}")).send(&client),
        }
    }

    /// An action's process has ended: if it has not answered, the client is told what became of it.
    pub(super) fn action_ended(&mut self, pid: Pid, fate: Fate) {
        let Some(client) = self.actions.remove(&pid.as_raw()) else { return };
        let why = match fate {
            Fate::Exited(0) => return,
            Fate::Killed(Signal::SIGKILL) => "it was killed, perhaps at its deadline".to_owned(),
            fate => format!("its process ended with {}", fate.text()),
        };
        log::warn(format!("a control action has given no answer: {why}"));
        Reply::refused(format!("the action has given no answer: {why}")).send(&client);
    }
}
