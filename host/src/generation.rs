//! What every process of a generation knows: settings, plan, identity. Made once by the zygote,
//! before the first fork, and never changed.

use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;

use nix::sys::signal::SigSet;

use crate::config::{Address, Config};
use crate::confine::Confinement;
use crate::events::{EXIT, Listener, Plan};
use crate::privileges::Account;
use crate::{log, sys};

/// A listen as sessions know it.
#[derive(Debug)]
pub(crate) struct Listen {
    pub(crate) name: String,
    pub(crate) protocol: String,
    /// Its index among the listens of the same protocol.
    pub(crate) index: u32,
    /// Whether its sessions keep root until a user of the system logs in.
    pub(crate) login_users: bool,
    /// Where it is, as it was written.
    pub(crate) place: Address,
    /// Where it is bound. A check does not know the sockets that a start would be passed.
    pub(crate) bound: Option<SocketAddr>,
}

/// A generation: one reading of `modules.toml` and of the modules' files.
pub(crate) struct Generation {
    pub(crate) number: u64,
    /// Tells this daemon's sessions from those of the daemons before and after.
    pub(crate) incarnation: String,
    pub(crate) config: Config,
    pub(crate) plan: Plan,
    pub(crate) listens: Vec<Listen>,
    /// Whom sessions become; nobody if the daemon has no privileges to give up.
    pub(crate) account: Option<Account>,
    /// What module code may touch for a client.
    pub(crate) confinement: Confinement,
    /// The descriptors that modules asked for and those that keep their code: open in every process.
    pub(crate) descriptors: Vec<RawFd>,
}

impl Generation {
    /// The id of a session.
    pub(crate) fn session_id(&self, number: u64) -> String {
        format!("{}-{number}", self.incarnation)
    }

    /// The listeners of a session's end, in order.
    pub(crate) fn exits(&self) -> &[Listener] {
        self.plan.listeners(EXIT)
    }

    /// What every process does that the zygote forks: closes what it has no business with (its own are
    /// these, beside the standard streams, the log and what modules asked for), and blocks no signal.
    pub(crate) fn part_from_the_zygote(&self, own: &[RawFd]) -> io::Result<()> {
        let mut keep = [&[0, 1, 2], own].concat();
        keep.extend(log::descriptor());
        keep.extend(&self.descriptors);
        keep.sort_unstable();
        sys::close_all_but(&keep)?;
        Ok(SigSet::empty().thread_set_mask()?)
    }
}
