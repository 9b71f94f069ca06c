//! Whom sessions become, and the way there: given up for good, verified, or the process ends. Who
//! calls this, and when, is the business of the process roles.

use std::fs;
use std::io;

use exeunt_ledger::Person;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{
    Gid, Group, Uid, User, geteuid, getgrouplist, getgroups, getresgid, getresuid, setgroups,
    setresgid, setresuid,
};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

/// An identity without privileges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

/// Why an account cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// There is none of that name.
    Unknown,
    /// It is the superuser's.
    Root,
    /// The user database could not be read.
    Unreadable(nix::Error),
}

/// Whether this process may change its identity.
pub(crate) fn are_root() -> bool {
    geteuid().is_root()
}

impl Account {
    /// Looks an account up by name. Its groups are those of the group database, listed now.
    pub(crate) fn look_up(name: &str) -> Result<Self, Unusable> {
        let user = User::from_name(name).map_err(Unusable::Unreadable)?.ok_or(Unusable::Unknown)?;
        if user.uid.is_root() || user.gid.as_raw() == 0 {
            return Err(Unusable::Root);
        }
        let c_name = std::ffi::CString::new(name).map_err(|_| Unusable::Unknown)?;
        let mut groups = getgrouplist(&c_name, user.gid).map_err(Unusable::Unreadable)?;
        groups.sort_by_key(|gid| gid.as_raw());
        groups.dedup();
        Ok(Self { uid: user.uid, gid: user.gid, groups })
    }

    /// The account that the zygote wrote down for a session, if it did. Root's is none, whoever wrote it.
    pub(crate) fn recorded(person: &Person) -> io::Result<Option<Self>> {
        let Some((uid, gid, groups)) = person.get() else { return Ok(None) };
        if uid == 0 || gid == 0 {
            return Err(io::Error::other("the account is the superuser's"));
        }
        let groups = groups.into_iter().map(Gid::from_raw).collect();
        Ok(Some(Self { uid: Uid::from_raw(uid), gid: Gid::from_raw(gid), groups }))
    }

    /// User, group and groups.
    pub(crate) fn numbers(&self) -> (u32, u32, Vec<u32>) {
        let groups = self.groups.iter().map(|gid| gid.as_raw()).collect();
        (self.uid.as_raw(), self.gid.as_raw(), groups)
    }

    /// Becomes the account, for good, and verifies it. On an error the process must end: it may have
    /// some of its privileges left.
    fn become_it(&self) -> io::Result<()> {
        setgroups(&self.groups)?;
        setresgid(self.gid, self.gid, self.gid)?;
        setresuid(self.uid, self.uid, self.uid)?;
        self.verify()
    }

    fn verify(&self) -> io::Result<()> {
        let (uid, gid) = (getresuid()?, getresgid()?);
        let mut groups = getgroups()?;
        groups.sort_by_key(|gid| gid.as_raw());
        if [uid.real, uid.effective, uid.saved] != [self.uid; 3] {
            return Err(io::Error::other("the user ids are not those of the account"));
        }
        if [gid.real, gid.effective, gid.saved] != [self.gid; 3] || groups != self.groups {
            return Err(io::Error::other("the group ids are not those of the account"));
        }
        let root = Uid::from_raw(0);
        if setresuid(root, root, root).is_ok() || nix::unistd::seteuid(root).is_ok() {
            return Err(io::Error::other("the way back to root is open"));
        }
        Ok(())
    }
}

/// The group with that name.
pub(crate) fn group(name: &str) -> Result<Gid, Unusable> {
    let group = Group::from_name(name).map_err(Unusable::Unreadable)?;
    group.map(|group| group.gid).ok_or(Unusable::Unknown)
}

/// What every process that runs module code for a client gives up, whoever it is: core dumps (they hold
/// what clients sent), new privileges by exec, being looked into by others of the same user.
pub(crate) fn harden() -> io::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    prctl::set_no_new_privs()?;
    prctl::set_dumpable(false)?;
    Ok(())
}

/// Keeps what it takes to become somebody at a login, and nothing else: root's number and two
/// capabilities. On an error the process must end.
pub(crate) fn keep_for_login() -> io::Result<()> {
    harden()?;
    setgroups(&[])?;
    let (kept, none) = (CapabilitySet::SETUID | CapabilitySet::SETGID, CapabilitySet::empty());
    set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: none })?;
    Ok(())
}

/// Gives up what no process that runs module code for a client may have: the above, the identity of
/// root, capabilities (a daemon that was not started as root may have some, too). On an error the
/// process must end.
pub(crate) fn give_up(account: Option<&Account>) -> io::Result<()> {
    harden()?;
    if let Some(account) = account {
        account.become_it()?;
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    // Again: a change of the identity has set it to what the system has for that.
    prctl::set_dumpable(false)?;
    verify_capabilities()
}

fn verify_capabilities() -> io::Result<()> {
    let status = fs::read_to_string("/proc/thread-self/status")?;
    let none =
        |line: &str| line.split_whitespace().nth(1).is_some_and(|set| !set.contains(|c| c != '0'));
    let sets = ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"];
    let held = status.lines().filter(|line| sets.iter().any(|set| line.starts_with(set)));
    if held.clone().count() != sets.len() || !held.into_iter().all(none) {
        return Err(io::Error::other("capabilities are left"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_an_account_and_root_is_refused() {
        assert!(Account::look_up("nobody").is_ok());
        assert_eq!(Account::look_up("root"), Err(Unusable::Root));
        assert_eq!(Account::look_up("no-such-user"), Err(Unusable::Unknown));
    }
}
