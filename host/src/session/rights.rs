//! What a session on a listen with `login_users` still has of root, and how it loses it: at the login,
//! or at the end if nobody logs in. Sessions on any other listen have nothing to lose.

use std::io;

use super::live::Session;
use crate::api::Ending;
use crate::cause::Cause;
use crate::config::Level;
use crate::privileges::{self, Account};
use crate::request::Request;
use crate::sys;

/// The most bytes of a user's name that can be asked for.
const NAME: usize = 64;

impl Session {
    /// Somebody has logged in: becomes that user of the system, or whom sessions become.
    pub(super) fn become_who_logged_in(&self, user: &str) -> Result<(), Ending> {
        if !self.is_root.get() {
            return Ok(());
        }
        let is_vouched = self.vouched.borrow().as_ref().is_some_and(|vouched| vouched == user);
        if !is_vouched {
            self.give_up_root();
            return Ok(());
        }
        if user.len() > NAME {
            let why = "it cannot become a user with such a long name";
            self.commit(Cause::AccessDenied, why);
            return self.ending();
        }
        self.ask_or_end(Request::Become { user: user.to_owned() })?;
        self.give_up(Account::recorded(&self.subject.identity.person).transpose());
        Ok(())
    }

    /// Becomes whom sessions become, if it is still root.
    pub(super) fn give_up_root(&self) {
        if self.is_root.get() {
            self.give_up(self.generation.account.clone().map(Ok));
        }
    }

    /// A process that cannot lose its rights ends at once: what it owes, a runner does, which never had
    /// them.
    fn give_up(&self, account: Option<io::Result<Account>>) {
        let account = account.unwrap_or_else(|| Err(io::Error::other("it is written nowhere")));
        match account.and_then(|account| privileges::give_up(Some(&account))) {
            Ok(()) => self.is_root.set(false),
            Err(e) => {
                self.log(Level::Error, &format!("root cannot be given up: {e}"));
                sys::leave(1)
            }
        }
    }
}
