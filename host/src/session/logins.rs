//! Logins: who a client is, by the authenticators, and what follows from it.

use std::rc::Rc;

use exeunt_api::abi::Verdict;
use exeunt_ledger::Place;
use std::sync::atomic::Ordering::Relaxed;

use super::callbacks::About;
use super::live::Session;
use crate::api::{Credentials, Ending, Given, Matter, Refused};
use crate::cause::Cause;
use crate::clock;
use crate::config::{Kind, Level, Node};
use crate::events::{LOGIN, LOGIN_FAILED, Listener};
use crate::request::{Answer, NoAnswer, Request};

impl Session {
    /// Asks the authenticators in their order; the first that knows the user decides. One that fails
    /// might have known the user: it refuses.
    pub(super) fn ask_who(&self, credentials: Credentials) -> Result<Option<Node>, Refused> {
        if self.bound.get().is_some() {
            return Err(Refused::NotNow);
        }
        let claim = Rc::new(credentials);
        for (number, one) in self.subject.plan.extras.authenticators.iter().enumerate() {
            let given = match one.place {
                Place::Root => self.ask_helper(number, one, &claim),
                _ => self.ask_here(one, &claim),
            };
            self.ending().map_err(|Ending| Refused::Ending)?;
            match given.and_then(verdict) {
                Ok(Said::Unknown) => continue,
                Ok(Said::Account(account)) => {
                    self.vouched.replace(user_of_the_system(&account));
                    return Ok(Some(account));
                }
                Ok(Said::Rejected) => {
                    let title = self.subject.plan.title(one);
                    self.log(Level::Debug, &format!("authenticator {title} rejects"));
                }
                Err(why) => self.failed("authenticator", one, "a login", &why),
            }
            return Err(Refused::Rejected);
        }
        Ok(None)
    }

    /// What an authenticator gives that runs in this process.
    fn ask_here(&self, one: &Listener, claim: &Rc<Credentials>) -> Result<Option<Given>, String> {
        let matter = Matter::Credentials(Rc::clone(claim));
        let about = About { matter: Some(&matter), payload: None };
        let (outcome, given) = self.ask("login", one, about);
        outcome.or_why().map(|()| given)
    }

    /// Somebody has proved who it is. A session has one login.
    pub(super) fn has_logged_in(&self, user: &str) -> Result<(), Refused> {
        let state = self.subject.state;
        if state.logged_in.load(Relaxed) != 0 {
            return Err(Refused::NotNow);
        }
        let place = Request::Login { user: user.to_owned() };
        self.ask_or_end(place).map_err(|Ending| Refused::Ending)?;
        self.become_who_logged_in(user).map_err(|Ending| Refused::Ending)?;
        state.user.set(user);
        state.logged_in.store(1, Relaxed);
        self.entry.log_in(user);
        self.log(Level::Info, &format!("{user} logged in"));
        self.deliver(LOGIN, None).map_err(|Ending| Refused::Ending)
    }

    /// Asks the zygote for something without which the session cannot go on; it ends for what is said
    /// against it, or if there is nobody to say anything.
    pub(super) fn ask_or_end(&self, request: Request) -> Result<(), Ending> {
        let until = clock::after(clock::now(), self.generation.config.exit.kill_after);
        match self.requests.ask(self.subject.identity, request, until) {
            Ok(Answer { code: Answer::GRANTED, .. }) => {}
            Ok(Answer { code, detail }) => {
                let cause = Cause::from_number(code.into()).unwrap_or(Cause::AccessDenied);
                self.commit(cause, &detail);
            }
            Err(why) => {
                // An order or a timeout that has come meanwhile is the cause.
                self.check()?;
                let detail = match why {
                    NoAnswer::Gone => "",
                    NoAnswer::Late => "it does not answer",
                };
                self.commit(Cause::ZygoteLost, detail);
            }
        }
        self.ending()
    }

    /// Somebody has failed to; the attempts that are left.
    pub(super) fn has_failed_to_log_in(&self, user: &str) -> Result<u32, Ending> {
        let failed = self.subject.state.failed_logins.fetch_add(1, Relaxed) + 1;
        self.log(Level::Info, &format!("login as {user} failed"));
        self.deliver(LOGIN_FAILED, None)?;
        let Some(limit) = self.generation.config.limits.login_attempts else { return Ok(u32::MAX) };
        if failed >= limit {
            self.commit(Cause::LimitLoginAttempts, &format!("limit {limit}"));
        }
        self.ending()?;
        Ok(limit - failed)
    }
}

/// What an authenticator said.
#[derive(Debug, PartialEq)]
enum Said {
    Account(Node),
    Rejected,
    Unknown,
}

/// The user of an account, if it is one of the system.
fn user_of_the_system(account: &Node) -> Option<String> {
    match (&account.get("system")?.kind, &account.get("user")?.kind) {
        (Kind::Bool(true), Kind::Str(user)) => Some(user.clone()),
        _ => None,
    }
}

fn verdict(given: Option<Given>) -> Result<Said, String> {
    let has_user = |account: &Node| {
        let user = account.get("user").map(|user| &user.kind);
        matches!(user, Some(Kind::Str(user)) if !user.is_empty())
    };
    match given {
        None | Some((Verdict::UNKNOWN, _)) => Ok(Said::Unknown),
        Some((Verdict::REJECTED, _)) => Ok(Said::Rejected),
        Some((Verdict::ACCEPTED, Some(account))) if has_user(&account) => {
            Ok(Said::Account(account))
        }
        Some((Verdict::ACCEPTED, _)) => Err("it accepts without an account".to_owned()),
        Some((number, _)) => Err(format!("it gives a verdict that there is not: {number}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_account_with_a_user_is_one() {
        let empty = Node::empty_table(0..0);
        assert!(verdict(Some((Verdict::ACCEPTED, Some(empty)))).is_err());
        assert!(verdict(Some((Verdict::ACCEPTED, None))).is_err());
        assert!(verdict(Some((7, None))).is_err());
        assert_eq!(verdict(None), Ok(Said::Unknown));
        assert_eq!(verdict(Some((Verdict::REJECTED, None))), Ok(Said::Rejected));
    }
}
