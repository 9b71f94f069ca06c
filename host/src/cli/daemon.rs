//! The way to a daemon: through the configuration to its runtime directory, and there to its control
//! socket. What is asked, and how an answer is shown, is the commands' business.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::Streams;
use super::refusal::{ExitStatus, Refusal};
use crate::config::{self, Config, Environment, Places, Problem, Source};
use crate::control::{self, Reply, Request};

/// How long a daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a daemon is, if there is one.
pub(super) struct Daemon {
    /// The configuration that says so.
    pub(super) config: PathBuf,
    /// Where its control socket, its scoreboards and its plans are.
    pub(super) runtime_dir: PathBuf,
    /// Where its journal is.
    pub(super) state_dir: PathBuf,
}

/// What the daemon says of itself.
#[derive(Deserialize)]
pub(super) struct Status {
    pub(super) pid: u32,
    pub(super) started: String,
    pub(super) config: String,
    pub(super) user: Option<String>,
    /// The first part of its sessions' ids.
    pub(super) incarnation: Option<String>,
    /// Who was refused, by reason: turned away without a session, or over a limit.
    #[serde(default)]
    pub(super) refused: BTreeMap<String, u64>,
    /// Sessions whose end could not be written to the journal.
    #[serde(default)]
    pub(super) journal_failures: u64,
    pub(super) generations: Vec<Generation>,
}

/// A zygote and its sessions.
#[derive(Deserialize)]
pub(super) struct Generation {
    pub(super) generation: u64,
    pub(super) pid: Option<u32>,
    pub(super) state: String,
    pub(super) sessions: u64,
}

/// Finds, reads and checks the configuration.
pub(crate) fn configuration(explicit: Option<&Path>) -> Result<(Source, Config), Refusal> {
    let (env, source) = read(explicit)?;
    match config::parse(&source, &env) {
        Ok(config) => Ok((source, config)),
        Err(problems) => Err(Refusal::of(&problems, &source)),
    }
}

fn read(explicit: Option<&Path>) -> Result<(Environment<'static>, Source), Refusal> {
    let refuse = |problem: Problem| Refusal::new(ExitStatus::Unusable, &problem);
    let env = Environment::current().map_err(refuse)?;
    let path = config::locate(explicit, &env).map_err(refuse)?;
    let source = config::read(&path, &env).map_err(refuse)?;
    Ok((env, source))
}

impl Daemon {
    /// The daemon of a configuration, running or not. If the file is wrong, the daemon must be running,
    /// and with this very file.
    pub(super) fn find(
        explicit: Option<&Path>,
        streams: &mut Streams<'_>,
    ) -> Result<Self, Refusal> {
        let (env, source) = read(explicit)?;
        let problems = match config::parse(&source, &env) {
            Ok(Config { file, host, .. }) => {
                let config::Host { runtime_dir, state_dir, .. } = host;
                return Ok(Self { config: file, runtime_dir, state_dir });
            }
            Err(problems) => problems,
        };
        let Places { file, runtime_dir, state_dir } = config::places(&source, &env);
        let daemon = Self { config: file, runtime_dir, state_dir };
        match daemon.status() {
            Ok((status, _)) if daemon.is_of(&status) => {
                let file = daemon.config.display();
                streams.note(&format!(
                    "{file} is wrong at the moment, `exeunt check` shows where; the daemon that runs \
                     with it answers all the same"
                ));
                Ok(daemon)
            }
            _ => Err(Refusal::of(&problems, &source)),
        }
    }

    /// Whether the daemon that answers was started with this file.
    fn is_of(&self, status: &Status) -> bool {
        let real = |path: &Path| path.canonicalize().ok();
        real(&self.config).is_some_and(|file| real(Path::new(&status.config)) == Some(file))
    }

    /// Sends a request. Answers are read from the stream.
    pub(super) fn ask(&self, request: Request) -> Result<UnixStream, Refusal> {
        control::ask(&self.runtime_dir, request).map_err(|error| self.unreachable(&error))
    }

    /// Sends a request and waits for what the daemon has to say.
    pub(super) fn answer(&self, request: Request) -> Result<String, Refusal> {
        let stream = self.ask(request)?;
        let reply = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| Reply::receive(&stream));
        match reply {
            Ok(reply) if reply.done => Ok(reply.text),
            Ok(reply) => Err(said_no(&reply)),
            Err(error) => Err(no_answer(&error)),
        }
    }

    /// What the daemon says of itself, and the same as it was sent.
    pub(super) fn status(&self) -> Result<(Status, serde_json::Value), Refusal> {
        let text = self.answer(Request::Status)?;
        let value: Result<serde_json::Value, _> = serde_json::from_str(&text);
        value.and_then(|value| Ok((Status::deserialize(&value)?, value))).map_err(|error| {
            let problem =
                Problem::new(format!("could not understand the daemon's status: {error}"))
                    .hint("is the daemon that runs of another version than this program?");
            Refusal::new(ExitStatus::No, &problem)
        })
    }

    pub(super) fn unreachable(&self, error: &io::Error) -> Refusal {
        let socket = self.runtime_dir.join("control");
        let socket = socket.display();
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                let problem =
                    Problem::new(format!("no daemon is running: none answers at {socket}"))
                        .detail(format!("the place is that of {}", self.config.display()))
                        .hint(
                            "start one with `exeunt run`, or name the running one's file: -c FILE",
                        );
                Refusal::new(ExitStatus::NoDaemon, &problem)
            }
            ErrorKind::PermissionDenied => {
                let problem = Problem::new(format!("may not ask the daemon at {socket}"))
                    .detail("root, its own user and the members of [control] `group` may")
                    .hint("ask as one of them");
                Refusal::new(ExitStatus::No, &problem)
            }
            _ => Refusal::failed(format!("could not ask the daemon at {socket}"), error),
        }
    }
}

/// The daemon's refusal, in its own words.
pub(super) fn said_no(reply: &Reply) -> Refusal {
    Refusal::new(ExitStatus::No, &Problem::new(reply.text.as_str()))
}

/// A daemon that did not answer.
pub(super) fn no_answer(error: &io::Error) -> Refusal {
    let message = match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("the daemon did not answer within {} s", PATIENCE.as_secs())
        }
        ErrorKind::UnexpectedEof => "the daemon closed the connection without an answer".to_owned(),
        _ => format!("could not read the daemon's answer: {error}"),
    };
    Refusal::new(ExitStatus::No, &Problem::new(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(kind: ErrorKind) -> Refusal {
        let dir = PathBuf::from("/run/exeunt");
        let config = PathBuf::from("/etc/a.toml");
        Daemon { config, runtime_dir: dir.clone(), state_dir: dir }.unreachable(&kind.into())
    }

    #[test]
    fn who_may_not_ask_is_told_who_may() {
        let refusal = refusal(ErrorKind::PermissionDenied);
        assert_eq!(refusal.status, ExitStatus::No);
        assert!(refusal.text.starts_with("error: may not ask the daemon at /run/exeunt/control\n"));
        assert!(refusal.text.contains("[control] `group`"));
    }

    #[test]
    fn other_errors_do_not_claim_that_there_is_no_daemon() {
        let refusal = refusal(ErrorKind::OutOfMemory);
        assert_eq!(refusal.status, ExitStatus::No);
        assert!(refusal.text.starts_with("error: could not ask the daemon at"), "{}", refusal.text);
    }

    #[test]
    fn silence_is_named_as_such() {
        let refusal = no_answer(&ErrorKind::WouldBlock.into());
        assert_eq!(refusal.text, "error: the daemon did not answer within 10 s\n");
    }
}
