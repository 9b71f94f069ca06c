//! Users of the system that sessions become: on a listen with `login_users`, and nowhere else. The zygote
//! looks them up itself and writes them on the identity page, which a session cannot write.

use std::sync::atomic::Ordering::Relaxed;

use exeunt_ledger::GROUPS;

use super::Zygote;
use crate::cause::Cause;
use crate::generation::Listen;
use crate::privileges::{Account, Unusable};
use crate::request::Answer;

impl Zygote {
    /// A session says who has logged in, and wants to become that user.
    pub(super) fn let_become(&self, slot: usize, user: &str) -> (u16, String) {
        let identity = &self.slots[slot].identity;
        let listen = &self.generation.listens[identity.listen.load(Relaxed) as usize];
        let found = match self.generation.account {
            Some(_) => person(listen, user),
            None => Err("the daemon was started without root"),
        };
        let found = found.and_then(|found| {
            let is_in = identity.login.load(Relaxed) != 0 && identity.login_user.get() == user;
            is_in.then_some(found).ok_or("somebody else has logged in")
        });
        let set = found.and_then(|(uid, gid, groups)| {
            let is_first = identity.person.set(uid, gid, &groups);
            is_first.then_some(()).ok_or("it has become somebody else")
        });
        match set {
            Ok(()) => (Answer::GRANTED, String::new()),
            Err(why) => (Cause::AccessDenied as u16, format!("it cannot become {user}: {why}")),
        }
    }
}

/// The user, the group and the groups of an account that a session of that listen may become.
fn person(listen: &Listen, user: &str) -> Result<(u32, u32, Vec<u32>), &'static str> {
    if !listen.login_users {
        return Err("the listen has no login_users");
    }
    match Account::look_up(user) {
        Ok(account) => Some(account.numbers())
            .filter(|(_, _, groups)| groups.len() <= GROUPS)
            .ok_or("it has too many groups"),
        Err(Unusable::Root) => Err("it is the superuser"),
        Err(Unusable::Unknown) => Err("the system has no such user"),
        Err(Unusable::Unreadable(_)) => Err("the user database cannot be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Address;

    fn listen(login_users: bool) -> Listen {
        let (name, protocol) = ("a".to_owned(), "ftp".to_owned());
        let place = Address::Passed("a".to_owned());
        Listen { name, protocol, index: 0, place, bound: None, login_users }
    }

    #[test]
    fn only_an_ordinary_user_and_only_where_that_is_configured() {
        assert_eq!(person(&listen(false), "nobody"), Err("the listen has no login_users"));
        assert_eq!(person(&listen(true), "root"), Err("it is the superuser"));
        assert_eq!(person(&listen(true), "no-such"), Err("the system has no such user"));
        let (uid, gid, groups) = person(&listen(true), "nobody").expect("a user");
        assert!(uid != 0 && gid != 0 && groups.contains(&gid));
    }
}
