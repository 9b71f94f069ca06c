//! The start: lock, files, control socket, and the first candidate. A refusal leaves nothing behind.

use std::fs::File;
use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signalfd::SignalFd;
use nix::unistd::{Gid, pipe2};

use super::clients::Clients;
use super::files::{self, Files, file_error};
use super::member::{Dowry, Member, Why, sealed};
use super::notify::Notifier;
use super::passed::Passed;
use super::replay::Then;
use super::{Failure, Supervisor};
use crate::channel::{Message, Received};
use crate::config::{Config, Source};
use crate::sys::{self, Polled};
use crate::{clock, control, log, privileges, reap};

/// Makes everything ready and starts the first candidate.
pub(super) fn start(
    source: Source,
    config: Config,
    signals: SignalFd,
    then: Then,
    passed: Passed,
) -> Result<Supervisor, Failure> {
    let started = clock::unix_millis();
    let group = control_group(&config);
    let files = Files::claim(&config.host, group)?;
    make_room_for_timers(config.host.capacity);
    let (life_end, life) = life_pipe()?;
    let listener = control::listen(&config.host.runtime_dir, group)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(file_error("the control socket cannot be made"))
        .inspect_err(|_| files.clean_up())?;
    let mut supervisor = Supervisor {
        executable: executable()?,
        source,
        config,
        started,
        incarnation: base36(started / 1000),
        files,
        members: Vec::new(),
        last_generation: 0,
        previous: None,
        sockets: passed.sockets,
        passed: passed.names,
        notifier: Notifier::new(),
        clients: Clients::new(listener),
        signals,
        life,
        program: std::env::current_exe().map_err(file_error("the own program is not known"))?,
        life_end,
        reloading: None,
        reload_again: false,
        respawns: Vec::new(),
        then: Some(then),
        endings: 0,
        ended: None,
    };
    supervisor.files.write_pid().inspect_err(|_| supervisor.files.clean_up())?;
    supervisor.begin_replay();
    supervisor.go_on_if_replayed();
    Ok(supervisor)
}

impl Supervisor {
    /// Nothing is left over: the first generation of this daemon.
    pub(super) fn start_first_generation(&mut self) -> Result<(), Failure> {
        let text = sealed(c"modules.toml", self.source.text.as_bytes())
            .map_err(file_error("no memory for the configuration"))?;
        self.start_generation(text, "", Why::Start)
            .map_err(file_error("the zygote cannot be started"))
    }
}

fn executable() -> Result<OwnedFd, Failure> {
    let file = File::open("/proc/self/exe");
    file.map(OwnedFd::from).map_err(file_error("the own executable cannot be kept"))
}

fn life_pipe() -> Result<(OwnedFd, OwnedFd), Failure> {
    pipe2(OFlag::O_CLOEXEC).map_err(|e| file_error("no pipe for the zygotes")(e.into()))
}

/// Does everything that a start would check, and binds nothing. Returns the plan.
pub(crate) fn check(source: &Source, config: &Config) -> Result<String, Failure> {
    files::examine(&config.host)?;
    let text = sealed(c"modules.toml", source.text.as_bytes())
        .map_err(file_error("no memory for the configuration"))?;
    let (life_end, _life) = life_pipe()?;
    let dowry = Dowry {
        generation: 0,
        incarnation: "check",
        runtime_dir: None,
        config: &config.file,
        text,
        kept: "",
        passed: &[],
        life: &life_end,
        why: Why::Start,
        until: clock::after(clock::now(), config.reload.ready),
    };
    let until = dowry.until;
    let candidate = Member::start(&executable()?, dowry)
        .map_err(file_error("the candidate cannot be started"))?;
    let decided = decide(&candidate, until);
    candidate.end();
    reap::wait(candidate.pid);
    decided
}

/// Waits until a candidate has said whether it is ready: its plan, or why it is refused.
fn decide(candidate: &Member, until: clock::Moment) -> Result<String, Failure> {
    let lost = file_error("the candidate's report is lost");
    loop {
        let rest = clock::until(until, clock::now());
        if rest.is_zero() {
            let why = "the time to become ready was over ([reload] ready)";
            return Err(Failure::refused(candidate.epitaph(why)));
        }
        let mut polled = [Polled::reading(candidate.line.as_raw_fd())];
        sys::poll(&mut polled, Some(rest)).map_err(&lost)?;
        match candidate.line.receive().map_err(&lost)? {
            Received::Message(Message::Ready { .. }, _) => {
                return candidate.report.text().map_err(lost);
            }
            Received::Message(Message::Refused, _) => {
                return Err(Failure::refused(candidate.report.text().map_err(lost)?));
            }
            Received::End => {
                let fate = reap::wait_for(candidate.pid).map_or_else(String::new, reap::Fate::text);
                let why = format!("the process ended ({fate})");
                return Err(Failure::refused(candidate.epitaph(&why)));
            }
            Received::Message(_, _) | Received::Nothing => {}
        }
    }
}

/// The group that may ask the daemon. One that cannot be used is refused by the candidate, together
/// with all that is wrong.
fn control_group(config: &Config) -> Option<Gid> {
    config.control.group.as_deref().and_then(|name| privileges::group(name).ok())
}

/// Each session has a timer, and each timer counts as a pending signal of its user.
fn make_room_for_timers(capacity: u32) {
    let wanted = u64::from(capacity) * 2;
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_SIGPENDING) else { return };
    if soft < wanted && setrlimit(Resource::RLIMIT_SIGPENDING, wanted, hard.max(wanted)).is_err() {
        log::warn(format!(
            "RLIMIT_SIGPENDING stays at {soft}: not all of {capacity} sessions may get a timer"
        ));
    }
}

fn base36(mut number: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(char::from(DIGITS[(number % 36) as usize]));
        number /= 36;
    }
    digits.iter().rev().collect()
}
