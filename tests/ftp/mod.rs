//! FTP through the real daemon: replies, effects on disk, and how sessions end. Here: what is served,
//! and by which daemon. The dialogue is in `dialogue.rs`; the tests are in the files named by topic.

mod aborting;
mod clients;
mod connections;
mod dialogue;
mod endings;
mod files;
mod folders;
mod limits;
mod listing;
mod login;
mod logins;
mod secrets;
mod sockets;
mod timeouts;
mod transfers;

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::harness::{Daemon, Setup};
use dialogue::Ftp;

/// A copy of `tests/srv` with some more in it, beneath whose `incoming` everybody may write.
pub(crate) struct Tree {
    scratch: TempDir,
}

impl Tree {
    /// `a.txt` has 11 bytes, `crlf.txt` two lines, `big` more than any socket buffer holds; `.hidden`
    /// is hidden, `within` is a link to `a.txt`, `up` and `absolute` are links that lead out.
    pub(crate) fn new() -> Self {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        open_to_all(scratch.path());
        let root = scratch.path().join("srv");
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/srv");
        copy(&sample, &root).expect("a copy of the sample tree");
        fs::write(root.join("a.txt"), "hello world").expect("a.txt");
        fs::write(root.join("crlf.txt"), "one\ntwo\n").expect("crlf.txt");
        fs::write(root.join(".hidden"), "h").expect(".hidden");
        fs::write(scratch.path().join("secret"), "s").expect("a file outside");
        let big = fs::File::create(root.join("big")).expect("big");
        big.set_len(BIG).expect("big");
        for (to, name) in [("a.txt", "within"), ("../secret", "up"), ("/etc/passwd", "absolute")] {
            symlink(to, root.join(name)).expect("a link");
        }
        open_to_all(&root.join("incoming"));
        Self { scratch }
    }

    /// Where a path of the clients lies.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.scratch.path().join("srv").join(path)
    }

    /// The content of a file.
    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.path(path)).expect(path)
    }

    /// How long a file is; nothing if there is none.
    pub(crate) fn length(&self, path: &str) -> Option<u64> {
        fs::metadata(self.path(path)).ok().map(|metadata| metadata.len())
    }

    /// A place beside the served tree.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// A daemon to be that serves the tree, with further settings for its listen.
    pub(crate) fn served_with(&self, settings: &str) -> Setup {
        let root = self.path("");
        let config =
            format!("root = '{}'\nanonymous = true\nwrite = ['/incoming']", root.display());
        let setup = Setup::new().module_with("ftp", &config).listen_with("ftp", settings);
        // The clients here keep their end open until they have seen the server's.
        setup.exit("linger = '100ms'")
    }
}

/// The length of `big`.
pub(crate) const BIG: u64 = 64 << 20;

/// A tree and a daemon that serves it.
pub(crate) fn served() -> (Tree, Daemon) {
    let tree = Tree::new();
    let daemon = tree.served_with("").start();
    (tree, daemon)
}

/// The same, and a client that has logged in.
pub(crate) fn logged_in() -> (Tree, Daemon, Ftp) {
    let (tree, daemon) = served();
    let ftp = Ftp::login(&daemon);
    (tree, daemon, ftp)
}

/// A tree and a daemon that serves it, with a tracing module behind `ftp`.
pub(crate) fn traced() -> (Tree, Daemon) {
    let tree = Tree::new();
    let daemon = tree.served_with("").module("trace_a").start();
    (tree, daemon)
}

/// The only session of a traced daemon has ended for `cause`, and each listener was entered once.
#[track_caller]
pub(crate) fn ended_once(daemon: &Daemon, cause: &str) {
    let exit = daemon.wait_exit();
    assert_eq!((exit.cause.as_str(), exit.outcomes().as_str()), (cause, "done done"));
    assert_eq!(daemon.entered(&exit.session), "trace_a/trace");
    assert!(daemon.trace()[0].contains(&format!("cause={cause}")), "{:?}", daemon.trace());
}

fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).expect("permissions");
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(from)? {
        let (from, to) = (entry.as_ref().map(fs::DirEntry::path), to);
        let from = from.map_err(|error| io::Error::other(error.to_string()))?;
        let to = to.join(from.file_name().unwrap_or_default());
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}
