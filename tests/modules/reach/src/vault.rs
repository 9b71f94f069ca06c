//! An authenticator that runs in a root helper: users in a file that sessions cannot read. Some users are
//! there to see what becomes of a helper that goes wrong.
#![expect(clippy::disallowed_methods, reason = "some users end the process")]

use std::path::{Path, PathBuf};
use std::{fs, process, thread};

use exeunt_api::prelude::*;

/// Registers it.
pub(crate) fn register(
    vault: PathBuf,
    trace: Option<PathBuf>,
    reg: &mut Registrar<'_>,
) -> Result<()> {
    reg.authenticator("vault", Where::RootHelper, move |credentials| {
        let euid = rustix::process::geteuid().as_raw();
        let line = format!("vault {} euid={euid} peer={}", process::id(), credentials.peer());
        trace::append(trace.as_deref(), &line)?;
        match credentials.user() {
            "error" => Err(Error::new("told to fail")),
            "panic" => panic!("told to panic"),
            "crash" => process::abort(),
            "exit" => process::exit(0),
            "lie" => Ok(Verdict::Accept(Account::new(""))),
            "hang" => loop {
                thread::park();
            },
            user => look_up(&vault, user, credentials.secret()),
        }
    })
}

fn look_up(vault: &Path, user: &str, secret: &str) -> Result<Verdict> {
    let text = fs::read_to_string(vault)?;
    let found =
        text.lines().filter_map(|line| line.split_once(' ')).find(|(name, _)| *name == user);
    Ok(match found {
        None => Verdict::Unknown,
        Some((_, known)) if known == secret => {
            Verdict::Accept(Account::new(user).home(format!("/{user}")).group("staff"))
        }
        Some(_) => Verdict::Reject,
    })
}
