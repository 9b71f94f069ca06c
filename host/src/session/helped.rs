//! Asking an authenticator that runs in a root helper. The session waits as in any other wait, and longer
//! than the helper may take: whatever becomes of that, the login is decided or refused.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use exeunt_api::abi::{Interest, Waiting};
use nix::errno::Errno;
use std::sync::atomic::Ordering::Relaxed;

use super::live::Session;
use crate::api::{Credentials, Given, Living, WaitError};
use crate::events::Listener;
use crate::{claim, clock, request};

/// How much longer the session waits than a helper may take: for its turn, and for the answer.
const SLACK: Duration = Duration::from_secs(2);

impl Session {
    /// What the authenticator with that number in the plan gives; why it gives nothing.
    pub(super) fn ask_helper(
        &self,
        number: usize,
        authenticator: &Listener,
        claim: &Credentials,
    ) -> Result<Option<Given>, String> {
        let until = clock::after(clock::now(), authenticator.deadline + SLACK);
        // Neither do timers run in this wait, nor does it end with the process killed.
        let bound = clock::after(until, self.generation.config.exit.kill_after);
        self.bound.set(Some(bound));
        let given = self.hear_helper(number, claim, until);
        self.bound.set(None);
        self.stand_over(clock::now());
        given
    }

    fn hear_helper(
        &self,
        number: usize,
        claim: &Credentials,
        until: clock::Moment,
    ) -> Result<Option<Given>, String> {
        let socket = self.find_helper(number, until)?;
        claim::make(&socket, claim).map_err(|e| format!("its helper does not hear: {e}"))?;
        self.wait_for(socket.as_raw_fd(), Interest::READ, until)?;
        claim::take(&socket)
    }

    fn find_helper(&self, number: usize, until: clock::Moment) -> Result<OwnedFd, String> {
        let session = self.subject.identity.session.load(Relaxed);
        loop {
            match request::plead(self.help_desk, session, number) {
                Ok(socket) => return Ok(socket),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => self.wait_for(self.help_desk, Interest::WRITE, until)?,
                Err(e) => return Err(format!("there is no helper for it: {e}")),
            }
        }
    }

    fn wait_for(&self, fd: RawFd, interest: u32, until: clock::Moment) -> Result<(), String> {
        let rest = clock::until(until, clock::now());
        let millis = i64::try_from(rest.as_millis()).unwrap_or(i64::MAX);
        match self.wait(&mut [Waiting { fd, interest, ready: 0 }], millis) {
            Ok(0) => Err("its helper did not answer in time".to_owned()),
            Ok(_) => Ok(()),
            Err(WaitError::Ending) => Err("the session is ending".to_owned()),
            Err(WaitError::Bad) => Err("its helper cannot be waited for".to_owned()),
        }
    }
}
