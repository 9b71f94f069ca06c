//! What is known about the client of one session, and what outlives the session's process.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use exeunt_api::prelude::*;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::control::Control;
use crate::data::Plan;
use crate::entry::Fact;
use crate::path::VirtualPath;
use crate::tree::{Tree, Upload};

/// What a session has transferred. It lies in the session's slot: an exit listener reads it also
/// after the session was killed, in the middle of a transfer too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Files that the client stored, and has got, to the end.
    pub(crate) stored: u32,
    pub(crate) fetched: u32,
    /// Bytes of files, those of unfinished transfers included; listings do not count.
    pub(crate) bytes_stored: u64,
    pub(crate) bytes_fetched: u64,
    /// The file of the last transfer, its end if the path is long.
    pub(crate) last: String,
}

/// Where a session keeps its numbers.
pub(crate) struct Kept {
    /// Those of the session itself.
    pub(crate) tally: State<Tally>,
    /// Files of all sessions, by their direction.
    pub(crate) files: Counter<1>,
    /// Their bytes, likewise.
    pub(crate) bytes: Counter<1>,
    /// Generated for each file that was stored whole: `ftp.stored` with [`Stored`].
    pub(crate) stored: EventKey,
}

/// What comes with `ftp.stored`.
#[derive(Debug, Serialize)]
pub(crate) struct Stored {
    /// The file, as a client sees it whose root is that of the module.
    path: String,
    /// Its length.
    bytes: u64,
}

impl Kept {
    /// Counts for all sessions what has come to a tally.
    fn add(&self, before: &Tally, after: &Tally) {
        let files = [(after.stored, before.stored), (after.fetched, before.fetched)];
        let bytes = [
            (after.bytes_stored, before.bytes_stored),
            (after.bytes_fetched, before.bytes_fetched),
        ];
        for ((direction, files), bytes) in ["in", "out"].iter().zip(files).zip(bytes) {
            for (counter, now, then) in [
                (&self.files, u64::from(files.0), u64::from(files.1)),
                (&self.bytes, bytes.0, bytes.1),
            ] {
                if now > then {
                    counter.add([direction], now - then);
                }
            }
        }
    }
}

/// There are 256 bytes for the whole tally.
const LONGEST_LAST: usize = 200;

impl Tally {
    /// Remembers the file of a transfer that begins.
    pub(crate) fn begin(&mut self, path: &VirtualPath) {
        let path = path.to_string();
        let mut start = path.len().saturating_sub(LONGEST_LAST);
        while !path.is_char_boundary(start) {
            start += 1;
        }
        path[start..].clone_into(&mut self.last);
    }
}

/// How far a client has come with its login.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// No USER yet, or refused since.
    Nobody,
    /// USER was given; PASS is to follow.
    Claimed(String),
    /// Logged in.
    Done,
}

/// Everything that the commands of a session share.
pub(crate) struct Client<'s> {
    pub(crate) session: &'s Session<'s>,
    pub(crate) config: &'s Config,
    pub(crate) control: Control<'s>,
    pub(crate) tree: Tree,
    pub(crate) login: Login,
    /// Where the tree begins in that of the module.
    root: VirtualPath,
    /// The working directory.
    pub(crate) folder: VirtualPath,
    /// TYPE A: line ends are converted.
    pub(crate) ascii: bool,
    /// Where the next transfer begins (REST).
    pub(crate) restart: u64,
    pub(crate) rename_from: Option<VirtualPath>,
    /// The facts that MLSD and MLST show (OPTS MLST).
    pub(crate) facts: Vec<Fact>,
    pub(crate) plan: Plan,
    pub(crate) epsv_all: bool,
    /// The client's address, and the one that it is connected to; IPv4 in IPv6 is IPv4 here.
    pub(crate) peer: IpAddr,
    pub(crate) local: IpAddr,
    /// The ports to listen on for data; `0..=0` is any.
    pub(crate) ports: RangeInclusive<u16>,
    tally: Tally,
    kept: &'s Kept,
}

impl<'s> Client<'s> {
    /// A client that has just connected.
    pub(crate) fn new(
        session: &'s Session<'s>,
        config: &'s Config,
        root: Directory,
        kept: &'s Kept,
    ) -> Result<Self> {
        let writable: Vec<_> = config.write.iter().map(|folder| folder.0.clone()).collect();
        Ok(Self {
            session,
            config,
            control: Control::new(session),
            tree: Tree::new(root, &writable, config.overwrite)?,
            login: Login::Nobody,
            root: VirtualPath::default(),
            folder: VirtualPath::default(),
            ascii: true,
            restart: 0,
            rename_from: None,
            facts: Fact::ALL.to_vec(),
            plan: Plan::None,
            epsv_all: false,
            peer: ip(session.peer())?,
            local: ip(session.local())?,
            ports: config.passive_ports.as_ref().map_or(0..=0, |ports| ports.0.clone()),
            tally: Tally::default(),
            kept,
        })
    }

    /// The path that an argument names.
    pub(crate) fn path(&self, argument: &str) -> VirtualPath {
        self.folder.join(argument)
    }

    /// Tells the modules that listen of a file that was stored whole.
    pub(crate) fn tell_stored(&self, upload: &Upload) -> Result<()> {
        let bytes = upload.file.metadata()?.len();
        let path = self.root.join(upload.path.to_string().trim_start_matches('/')).to_string();
        self.session.generate(&self.kept.stored, &Stored { path, bytes })
    }

    /// Gives the client the tree and the folder of an account; false if that cannot be.
    pub(crate) fn move_in(&mut self, account: &Account) -> bool {
        let top = VirtualPath::default();
        if let Some(root) = &account.root {
            match self.tree.beneath(&top.join(root)) {
                Ok(tree) => (self.tree, self.root) = (tree, top.join(root)),
                Err(error) => {
                    let (user, root) = (&account.user, root);
                    let text =
                        format!("{user} cannot log in: the root {root} cannot be entered: {error}");
                    self.session.log().error(text);
                    return false;
                }
            }
        }
        let home = account.home.as_ref().map(|home| top.join(home));
        // A home that is not there is no reason to stay outside.
        self.folder = home.filter(|home| self.tree.enter(home).is_ok()).unwrap_or_default();
        true
    }

    /// Changes the tally, and keeps it where it outlives this process and where all sessions count.
    pub(crate) fn count(&mut self, change: impl FnOnce(&mut Tally)) -> Result<()> {
        let before = self.tally.clone();
        change(&mut self.tally);
        self.kept.add(&before, &self.tally);
        self.session.set(&self.kept.tally, &self.tally)
    }
}

fn ip(address: &str) -> Result<IpAddr> {
    let parsed: SocketAddr = address
        .parse()
        .map_err(|_| Error::new(format!("cannot serve FTP on {address}: not an IP address")))?;
    Ok(parsed.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_keeps_its_end_and_whole_characters() {
        let mut tally = Tally::default();
        let path = VirtualPath::default().join(&"ä".repeat(300));
        tally.begin(&path);
        assert_eq!(tally.last, "ä".repeat(LONGEST_LAST / 2));
        tally.begin(&VirtualPath::default().join("a"));
        assert_eq!(tally.last, "/a");
    }

    #[test]
    fn addresses_are_read_with_their_ports() {
        assert_eq!(ip("127.0.0.1:21").expect("v4").to_string(), "127.0.0.1");
        assert_eq!(ip("[::1]:21").expect("v6").to_string(), "::1");
        assert_eq!(ip("[::ffff:10.0.0.1]:21").expect("mapped").to_string(), "10.0.0.1");
        assert!(ip("/run/socket").is_err());
    }
}
