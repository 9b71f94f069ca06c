//! The folder that a daemon under load lives in, and the text of its `modules.toml`.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::Result;

/// A folder of its own, which goes with this value.
#[derive(Debug)]
pub struct Site {
    dir: TempDir,
    /// The port that the daemon listens on.
    pub port: u16,
}

/// What a `modules.toml` says beside what is always the same.
#[derive(Clone, Debug)]
pub struct Config {
    /// The number of these settings: clients are greeted with it, listeners write it down.
    pub number: u64,
    /// The modules of the kind of `mark00`, in their order.
    pub marks: Vec<String>,
    /// `ftp` or `echo`.
    pub protocol: &'static str,
    /// `[host] spares`.
    pub spares: u32,
    /// `[reload] generations`.
    pub generations: u32,
    /// More lines for the last module of the kind of `mark00`.
    pub more: String,
    /// More lines at the end.
    pub tail: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            number: 1,
            marks: vec!["mark00".to_owned(), "mark01".to_owned()],
            protocol: "ftp",
            spares: 4,
            generations: 8,
            more: String::new(),
            tail: String::new(),
        }
    }
}

impl Site {
    /// A folder with an empty trace that everybody may write, something to serve, and a free port.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub fn new() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("exeunt-storm-").tempdir()?;
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755))?;
        fs::create_dir(dir.path().join("modules"))?;
        fs::create_dir(dir.path().join("srv"))?;
        fs::write(dir.path().join("srv/file"), "content\n")?;
        fs::write(dir.path().join("trace"), "")?;
        fs::set_permissions(dir.path().join("trace"), Permissions::from_mode(0o666))?;
        Ok(Self { dir, port: free_port()? })
    }

    /// A path in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What a file in it holds; nothing if it is not there.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Keeps the folder when this value goes.
    pub fn keep(&mut self) {
        self.dir.disable_cleanup(true);
    }

    /// Writes `modules.toml`.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn configure(&self, config: &Config) -> Result<()> {
        Ok(fs::write(self.path("modules.toml"), self.text(config))?)
    }

    fn text(&self, config: &Config) -> String {
        let Config { number, protocol, spares, generations, .. } = config;
        let mut text = format!(
            "[host]\nruntime_dir = \"run\"\nstate_dir = \"state\"\nmodule_dirs = [\"modules\"]\n\
             spares = {spares}\njournal_max = \"1GB\"\n[limits]\nsessions = \"off\"\n\
             [reload]\ngenerations = {generations}\n\
             [[listen]]\nname = \"storm\"\naddress = \"127.0.0.1:{}\"\nprotocol = \"{protocol}\"\n",
            self.port
        );
        if *protocol == "ftp" {
            let _ =
                writeln!(text, "config = {{ anonymous = true, greeting = \"storm {number}\" }}");
        }
        let trace = self.path("trace");
        for mark in &config.marks {
            let _ = writeln!(text, "[[module]]\nname = \"{mark}\"\n[module.config]");
            let _ = writeln!(text, "trace = \"{}\"\nnumber = {number}", trace.display());
        }
        let _ = writeln!(text, "{}\n[[module]]\nname = \"{protocol}\"", config.more);
        if *protocol == "ftp" {
            text.push_str("config.root = \"srv\"\n");
        }
        let _ = writeln!(text, "{}", config.tail);
        text
    }
}

/// A port on which nobody listened just now, below those that the kernel gives to clients.
///
/// # Errors
///
/// There is none.
pub fn free_port() -> Result<u16> {
    let begin = 10_000 + (std::process::id() % 15_000) as u16;
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (begin..30_000).find(free).ok_or_else(|| "no port is free".into())
}
