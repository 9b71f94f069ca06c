//! `exeunt module check --run`: the module is loaded and initialised by a process of its own, and what
//! became of that process is told here.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::fs::{MemfdFlags, memfd_create};

use crate::cli::plan::Plan;
use crate::cli::refusal::{ExitStatus as Status, Failure, Refusal};
use crate::cli::{Streams, listeners};
use crate::config::Problem;

/// Loads and initialises the module with these settings, each `key=value`.
pub(super) fn run(file: &Path, sets: &[String], streams: &mut Streams<'_>) -> Result<(), Failure> {
    let failed = |e: io::Error| Refusal::failed("the module cannot be tried", &e);
    let (status, said) = try_it(file, &settings(sets)?).map_err(failed)?;
    let last = said.lines().next_back().unwrap_or_default();
    if let (Some(0), Ok(plan)) = (status.code(), serde_json::from_str::<Plan>(last)) {
        return streams.say(&listeners::render(&plan));
    }
    if status.code() == Some(4) {
        // The process has said why on standard error.
        return Err(Refusal { status: Status::Unusable, text: String::new() }.into());
    }
    let doing = if last.is_empty() { "was being looked at" } else { last };
    let message = format!("the module {doing} when the process ended ({})", fate(status));
    Err(Refusal::new(Status::Unusable, &Problem::new(message)).into())
}

/// The settings as lines of TOML: a value that is no TOML is taken as text.
fn settings(sets: &[String]) -> Result<String, Refusal> {
    let line = |set: &String| {
        let (key, value) = set.split_once('=').ok_or_else(|| {
            let problem =
                Problem::new(format!("`{set}` is no setting")).hint("write --set key=value");
            Refusal::new(Status::No, &problem)
        })?;
        let as_it_is = format!("{key} = {value}\n");
        let is_toml = as_it_is.parse::<toml_edit::DocumentMut>().is_ok();
        let text = serde_json::Value::from(value);
        Ok(if is_toml { as_it_is } else { format!("{key} = {text}\n") })
    };
    sets.iter().map(line).collect()
}

fn try_it(file: &Path, settings: &str) -> io::Result<(ExitStatus, String)> {
    // Not a pipe: what the module forks may hold it open for ever.
    let mut said: File = memfd_create("exeunt-trial", MemfdFlags::CLOEXEC)?.into();
    let mut command = Command::new("/proc/self/exe");
    command.arg0("exeunt").arg("trial").arg(file).arg(settings);
    command.stdin(Stdio::null()).stdout(said.try_clone()?).process_group(0);
    let mut child = command.spawn()?;
    let status = child.wait()?;
    // What the module forked ends with it; mostly there is nothing.
    let _nobody = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
    let mut text = String::new();
    said.rewind()?;
    said.read_to_string(&mut text)?;
    Ok((status, text))
}

fn fate(status: ExitStatus) -> String {
    match status.signal().map(Signal::try_from) {
        Some(Ok(Signal::SIGALRM)) => "it took longer than 30 s".to_owned(),
        Some(Ok(signal)) => signal.as_str().to_owned(),
        Some(Err(_)) => "an unknown signal".to_owned(),
        None => format!("exit status {}", status.code().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_toml_or_text() {
        let sets = ["n=1", "t=\"a\"", "w=hello world", "l=[1, 2]"].map(ToOwned::to_owned);
        let lines = settings(&sets).unwrap();
        assert_eq!(lines, "n = 1\nt = \"a\"\nw = \"hello world\"\nl = [1, 2]\n");
        assert!(settings(&["n".to_owned()]).is_err());
    }
}
