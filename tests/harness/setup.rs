//! A daemon to be, as a scenario puts it together.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::config::{Config, Listen, Module};
use super::daemon::{Daemon, Output};
use super::memory::MemoryGroup;
use super::ports;
use super::scratch::Scratch;

/// A daemon to be, in a scratch folder of its own.
pub(crate) struct Setup {
    scratch: Scratch,
    config: Config,
}

impl Setup {
    /// An empty folder, and no modules.
    pub(crate) fn new() -> Self {
        Self { scratch: Scratch::new(), config: Config::default() }
    }

    /// A path in the scratch folder, which relative names in `modules.toml` start at.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    /// Writes a file into the scratch folder, with the folders above it.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("folders");
        fs::write(path, content).expect("a file can be written");
        self
    }

    /// The next module, with the settings that every test would give it.
    pub(crate) fn module(self, name: &str) -> Self {
        self.module_with(name, "")
    }

    /// The next module, with these lines in its `[module.config]`.
    pub(crate) fn module_with(self, name: &str, config: &str) -> Self {
        self.module_keyed(name, "", config)
    }

    /// The next module, with these lines in its `[[module]]` and in its `[module.config]`.
    pub(crate) fn module_keyed(mut self, name: &str, keys: &str, config: &str) -> Self {
        let (name, keys, config) = (name.to_owned(), keys.to_owned(), config.to_owned());
        self.config.modules.push(Module { name, file: None, keys, config });
        self
    }

    /// The next module, from this file.
    pub(crate) fn module_at(mut self, name: &str, file: &Path, config: &str) -> Self {
        let (name, keys, config) = (name.to_owned(), String::new(), config.to_owned());
        self.config.modules.push(Module { name, file: Some(file.into()), keys, config });
        self
    }

    /// Listens for a protocol under the protocol's name; its module comes last if it was not named.
    pub(crate) fn listen(self, protocol: &str) -> Self {
        self.listen_with(protocol, "")
    }

    /// Listens for a protocol, with these lines laid over its settings.
    pub(crate) fn listen_with(mut self, protocol: &str, config: &str) -> Self {
        let (protocol, config, keys) = (protocol.to_owned(), config.to_owned(), String::new());
        self.config.listens.push(Listen { protocol, address: None, keys, config });
        self
    }

    /// Listens for a protocol, with these lines in its `[[listen]]`.
    pub(crate) fn listen_keyed(mut self, protocol: &str, keys: &str) -> Self {
        let (protocol, keys, config) = (protocol.to_owned(), keys.to_owned(), String::new());
        self.config.listens.push(Listen { protocol, address: None, keys, config });
        self
    }

    /// Listens for a protocol at this address, or with this socket that is passed.
    pub(crate) fn listen_at(mut self, protocol: &str, address: &str) -> Self {
        let (protocol, address) = (protocol.to_owned(), Some(address.to_owned()));
        let (keys, config) = (String::new(), String::new());
        self.config.listens.push(Listen { protocol, address, keys, config });
        self
    }

    /// The next socket that the daemon is started with; there can be two.
    pub(crate) fn passed(mut self, name: &str, socket: impl Into<OwnedFd>) -> Self {
        self.scratch.passed.push((name.to_owned(), socket.into()));
        self
    }

    /// Lines of `[host]`.
    pub(crate) fn host(self, lines: &str) -> Self {
        self.table("host", lines)
    }

    /// Lines of `[limits]`.
    pub(crate) fn limits(self, lines: &str) -> Self {
        self.table("limits", lines)
    }

    /// Lines of `[timeouts]`.
    pub(crate) fn timeouts(self, lines: &str) -> Self {
        self.table("timeouts", lines)
    }

    /// Lines of `[exit]`.
    pub(crate) fn exit(self, lines: &str) -> Self {
        self.table("exit", lines)
    }

    /// Lines of `[reload]`.
    pub(crate) fn reload(self, lines: &str) -> Self {
        self.table("reload", lines)
    }

    /// Lines of `[log]`.
    pub(crate) fn log(self, lines: &str) -> Self {
        self.table("log", lines)
    }

    fn table(mut self, name: &'static str, lines: &str) -> Self {
        self.config.tables.push((name, lines.to_owned()));
        self
    }

    /// What a shell does before the daemon begins, in mounts that nobody else sees; only for root.
    pub(crate) fn mounts(mut self, script: &str) -> Self {
        self.scratch.mounts = Some(script.to_owned());
        self
    }

    /// A variable in the daemon's environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.scratch.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The daemon is started by `setpriv` with these words, which root may do.
    pub(crate) fn setpriv(mut self, words: &'static str) -> Self {
        self.scratch.setpriv = Some(words);
        self
    }

    /// The daemon is started by `nobody`; by whoever runs the tests if that is not root.
    #[expect(clippy::wrong_self_convention, reason = "it reads as a sentence: start as nobody")]
    pub(crate) fn as_nobody(mut self) -> Self {
        self.scratch.as_nobody = true;
        self
    }

    /// The daemon is started in this control group.
    pub(crate) fn within(mut self, group: MemoryGroup) -> Self {
        self.scratch.group = Some(group);
        self
    }

    /// Starts the daemon, and waits until it serves.
    #[track_caller]
    pub(crate) fn start(self) -> Daemon {
        // Somebody else may take a port between the choice and the start.
        for _ in 0..5 {
            let ports = self.write();
            let mut child = self.scratch.run("run");
            if self.scratch.serves(&mut child) {
                let names = self.config.listens.iter().map(|listen| listen.protocol.clone());
                return Daemon::new(self.scratch, child, names.zip(ports).collect());
            }
            let log = self.scratch.read("log");
            assert!(log.contains("in use"), "the daemon did not start:\n{log}");
        }
        panic!("no port stayed free");
    }

    /// Starts the daemon, which must not come to serve.
    #[track_caller]
    pub(crate) fn refused(&self) -> Output {
        self.end_of("run")
    }

    /// What `exeunt check` says.
    #[track_caller]
    pub(crate) fn check(&self) -> Output {
        self.end_of("check")
    }

    #[track_caller]
    fn end_of(&self, command: &str) -> Output {
        self.write();
        let mut child = self.scratch.run(command);
        if self.scratch.serves(&mut child) {
            child.kill().and_then(|()| child.wait()).expect("the daemon can be ended");
            panic!("the daemon was not refused");
        }
        let status = child.wait().expect("it has ended").code().expect("it exits");
        Output::new(status, self.scratch.read("out"), self.scratch.read("log"))
    }

    /// Writes `modules.toml`, and returns the port of each listen.
    fn write(&self) -> Vec<u16> {
        let ports: Vec<_> = self.config.listens.iter().map(|_| ports::free()).collect();
        self.scratch.write(&self.config.text(&ports, &self.path("trace")));
        ports
    }
}
