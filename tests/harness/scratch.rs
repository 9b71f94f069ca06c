//! The folder that a daemon under test lives in, and the start of a program in it.

use std::fs::{self, File, Permissions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{MemoryGroup, is_root, wait_until};

/// The user that sessions become, and that a daemon may run as.
const NOBODY: u32 = 65534;

/// A folder of its own, which goes with this value; what the daemon is started with beside it.
pub(crate) struct Scratch {
    dir: TempDir,
    pub(super) env: Vec<(String, String)>,
    /// What a shell does first, in mounts of the daemon's own.
    pub(super) mounts: Option<String>,
    pub(super) as_nobody: bool,
    /// How `setpriv` is to start the daemon, if it is.
    pub(super) setpriv: Option<&'static str>,
    /// The sockets that the daemon is started with, by name.
    pub(super) passed: Vec<(String, OwnedFd)>,
    /// The control group that the daemon is started in, which bounds its memory.
    pub(super) group: Option<MemoryGroup>,
}

impl Scratch {
    /// A folder with an empty trace, which everybody may write.
    pub(super) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("exeunt-test-").tempdir();
        let scratch = Self {
            dir: dir.expect("a scratch folder can be made"),
            env: Vec::new(),
            mounts: None,
            as_nobody: false,
            setpriv: None,
            passed: Vec::new(),
            group: None,
        };
        open(scratch.dir.path(), 0o755);
        fs::write(scratch.path("trace"), "").expect("the trace can be made");
        open(&scratch.path("trace"), 0o666);
        scratch
    }

    /// A path in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes `modules.toml`, and gives everything to whom the daemon will run as.
    pub(super) fn write(&self, config: &str) {
        fs::write(self.path("modules.toml"), config).expect("a file can be written");
        if self.as_nobody && is_root() {
            let everything = fs::read_dir(self.dir.path()).expect("the folder is there");
            let inside = everything.map(|entry| entry.expect("it can be listed").path());
            for path in inside.chain([self.dir.path().to_owned()]) {
                chown(path, Some(NOBODY), Some(NOBODY)).expect("root may give away");
            }
            if let Some(group) = &self.group {
                chown(group.door(), Some(NOBODY), Some(NOBODY)).expect("root may give away");
            }
        }
    }

    /// Starts the program with its output going to `log` and `out`.
    pub(super) fn run(&self, command: &str) -> Child {
        let file = |name| File::create(self.path(name)).expect("a file can be made");
        let mut program = self.program();
        program.args([command, "-c"]).arg(self.path("modules.toml"));
        program
            .env_remove("EXEUNT_CONFIG")
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        program.stderr(file("log"));
        if self.as_nobody && is_root() && self.setpriv.is_none() {
            program.uid(NOBODY).gid(NOBODY);
        }
        program.spawn().expect("the daemon can be started")
    }

    /// The daemon. Sockets arrive where its input and output would be; a shell puts them where systemd
    /// does, and goes on as the daemon, which so has the process id that is promised. A shell also goes
    /// into the control group, if there is one.
    fn program(&self) -> Command {
        let out = File::create(self.path("out")).expect("a file can be made");
        let exeunt = env!("CARGO_BIN_EXE_exeunt");
        let socket = |number: usize| {
            let socket = self.passed.get(number).map(|(_, socket)| socket.try_clone());
            socket.map(|socket| Stdio::from(socket.expect("a socket can be passed")))
        };
        if let Some(mounts) = &self.mounts {
            let mut program = Command::new("unshare");
            program.args(["--mount", "sh", "-c", &format!("{mounts} && exec \"$0\" \"$@\"")]);
            program.arg(exeunt).stdin(Stdio::null()).stdout(out);
            return program;
        }
        let mut program = Command::new("sh");
        if let Some(group) = &self.group {
            program.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(group.door()).arg(exeunt);
            program.stdin(Stdio::null()).stdout(out);
            return program;
        }
        let moved = match self.passed.len() {
            0 => {
                program = Command::new(exeunt);
                if let Some(words) = self.setpriv {
                    program = Command::new("setpriv");
                    program.args(words.split(' ')).arg(exeunt);
                }
                program.stdin(Stdio::null()).stdout(out);
                return program;
            }
            1 => "exec 3<&0 </dev/null",
            2 => "exec 3<&0 4<&1 </dev/null >&2",
            _ => unreachable!("two sockets at most"),
        };
        program.stdin(socket(0).unwrap_or_else(Stdio::null));
        program.stdout(socket(1).unwrap_or_else(|| out.into()));
        let names: Vec<&str> = self.passed.iter().map(|(name, _)| &**name).collect();
        let variables =
            format!("LISTEN_PID=$$ LISTEN_FDS={} LISTEN_FDNAMES={}", names.len(), names.join(":"));
        program.arg("-c").arg(format!("{moved}; {variables} exec \"$0\" \"$@\"")).arg(exeunt);
        program
    }

    /// Waits until the daemon serves, or has ended; which of them.
    #[track_caller]
    pub(super) fn serves(&self, child: &mut Child) -> bool {
        let mut serves = false;
        wait_until(|| {
            let has_ended = child.try_wait().expect("the daemon can be waited for").is_some();
            serves = self.read("log").contains(": serves with ");
            serves || has_ended
        });
        serves
    }

    /// What a file in it holds; nothing if it is not there.
    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

fn open(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("modes can be set");
}
