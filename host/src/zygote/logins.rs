//! Who may log in: the limits on logins, exact over all living generations together, of which each
//! has a zygote that admits. Each counts for itself and follows what the others write into a log that
//! all have mapped; a lock that dies with its holder makes a look and what follows from it one step.
//! What a login is counted for stands on the session's identity page, and is the truth.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use exeunt_ledger::{Header, Identity, Login, LoginCounts, LoginLog, Slot};
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use std::sync::atomic::Ordering::Relaxed;

use super::admission::address_of;
use crate::clock::{self, Moment};
use crate::config::Limits;
use crate::pages::{self, LOGINS};
use crate::{log, sys};

/// How often at most a refusal is a reason to count anew.
const DOUBT: Duration = Duration::from_secs(1);

/// The logins as this zygote knows them.
pub(super) struct Logins {
    limits: Limits,
    dir: PathBuf,
    generation: u64,
    header: &'static Header,
    slots: &'static [Slot],
    /// Open once in this process: closing any descriptor of it would give the lock up.
    file: &'static File,
    log: &'static LoginLog,
    counts: LoginCounts,
    counted_at: Moment,
}

impl Logins {
    /// Joins the zygotes that share the log in that folder, made if there is none.
    pub(super) fn open(
        dir: &Path,
        generation: u64,
        header: &'static Header,
        slots: &'static [Slot],
        limits: Limits,
    ) -> io::Result<Self> {
        let (file, log) = open(&dir.join(LOGINS))?;
        let (dir, file) = (dir.to_owned(), &*Box::leak(Box::new(file)));
        let (counts, counted_at) = (LoginCounts::default(), 0);
        Ok(Self { limits, dir, generation, header, slots, file, log, counts, counted_at })
    }

    /// Counts the login of a session in, or says which limit it is over.
    pub(super) fn admit(&mut self, identity: &Identity, user: &str) -> Result<(), String> {
        let login = login_of(identity, user);
        let _lock = self.enter().map_err(|e| {
            log::error(format!("logins cannot be counted: {e}"));
            "logins cannot be counted".to_owned()
        })?;
        if self.over(&login).is_some() && clock::now() > clock::after(self.counted_at, DOUBT) {
            self.recount();
        }
        if let Some(over) = self.over(&login) {
            return Err(over);
        }
        self.log.change(true, &login, || {
            identity.login_user.set(user);
            identity.login.store(1, Relaxed);
        });
        Ok(())
    }

    /// Counts the login of a session out, if it has one.
    pub(super) fn leave(&mut self, identity: &Identity) {
        if identity.login.load(Relaxed) == 0 {
            return;
        }
        let login = login_of(identity, &identity.login_user.get());
        let forget = || identity.login.store(0, Relaxed);
        match self.enter() {
            Ok(_lock) => self.log.change(false, &login, forget),
            Err(e) => {
                // The page is right; the others find out when they count anew.
                log::error(format!("a login cannot be counted out: {e}"));
                forget();
            }
        }
    }

    /// Takes the lock and comes to know what the others did.
    fn enter(&mut self) -> io::Result<Lock<'static>> {
        let lock = Lock::take(self.file)?;
        self.log.enter();
        if !self.counts.follow(self.log) {
            self.recount();
        }
        Ok(lock)
    }

    fn over(&self, login: &Login) -> Option<String> {
        let Limits { logins, logins_per_address, logins_per_user, .. } = &self.limits;
        let [all, from_there, of_user] = self.counts.of(login);
        let over = |limit: &Option<u32>, count: u32| limit.filter(|limit| count >= *limit);
        if let Some(limit) = over(logins, all) {
            return Some(format!("logins {limit}"));
        }
        if let Some(limit) = over(logins_per_address, from_there) {
            return Some(format!("logins_per_address {limit} for {}", login.address));
        }
        let limit = over(logins_per_user, of_user)?;
        Some(format!("logins_per_user {limit} for {}", login.user))
    }

    /// Counts what stands on the identity pages of all ledgers.
    fn recount(&mut self) {
        let used = (self.header.used.load(Relaxed) as usize).min(self.slots.len());
        let mut logins: Vec<Login> = found(&self.slots[..used]).collect();
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let Some(generation) = pages::generation_of(&name.to_string_lossy()) else { continue };
            if generation == self.generation {
                continue;
            }
            let slots = File::open(entry.path()).and_then(|file| pages::slots_for_now(&file));
            match slots {
                Ok(slots) => logins.extend(found(&slots)),
                // Its last session has ended.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => log::warn(format!("the logins of generation {generation}: {e}")),
            }
        }
        self.counts.recount(self.log, logins);
        self.counted_at = clock::now();
    }
}

/// The log, mapped for this process alone; one of another layout is replaced.
fn open(path: &Path) -> io::Result<(File, &'static LoginLog)> {
    for _ in 0..8 {
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path)?;
        let lock = Lock::take(&file)?;
        // Whoever had the lock before may have put another file there.
        if fs::metadata(path).map_or(0, |there| there.ino()) != file.metadata()?.ino() {
            continue;
        }
        let size = size_of::<LoginLog>();
        if file.metadata()?.len() == 0 {
            file.set_len(size as u64)?;
            sys::reserve(&file, 0, size)?;
            sys::map_for_now::<LoginLog>(&file, 0, 1)?[0].begin();
        }
        if file.metadata()?.len() == size as u64 {
            let log: &[LoginLog] = sys::map_pages(&file, 0, 1)?;
            sys::not_for_children(log)?;
            if log[0].is_one() {
                drop(lock);
                return Ok((file, &log[0]));
            }
        }
        log::warn("logins are counted anew: the log of them is another version's");
        fs::remove_file(path)?;
    }
    Err(io::Error::other("the log of logins changes under our hands"))
}

/// The lock: a process holds it, so that it goes with the process, whoever else has its descriptors.
struct Lock<'a>(&'a File);

impl<'a> Lock<'a> {
    fn take(file: &'a File) -> io::Result<Self> {
        loop {
            match fcntl_lock(file, FlockOperation::LockExclusive) {
                Err(Errno::INTR) => {}
                done => return Ok(done.map(|()| Self(file))?),
            }
        }
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // It is ours: there is nothing that could go wrong.
        let _given_up = fcntl_lock(self.0, FlockOperation::Unlock);
    }
}

fn login_of(identity: &Identity, user: &str) -> Login {
    let address = address_of(identity).map_or_else(String::new, |address| address.to_string());
    Login { address, user: user.to_owned() }
}

fn found(slots: &[Slot]) -> impl Iterator<Item = Login> {
    let counted = slots.iter().filter(|slot| slot.identity.login.load(Relaxed) == 1);
    counted.map(|slot| login_of(&slot.identity, &slot.identity.login_user.get()))
}
