//! What may be written on the command line. What a command does is not known here.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use jiff::SignedDuration;

use super::kick::SessionId;

/// Shown at the end of `--help`.
const MORE: &str = "\
Configuration: -c FILE, else EXEUNT_CONFIG, else ./modules.toml, else /etc/exeunt/modules.toml.
The commands that ask a daemon find it through the same file.

Examples:
  exeunt run -c modules.toml        the daemon, until TERM or `exeunt stop`
  exeunt check                      is the configuration right?
  exeunt who --json                 the open sessions, for a program
  exeunt exits --last 5 --follow    how sessions end, as they end
  exeunt kick 17                    end one session
  exeunt stop --grace 10s           end the daemon
  exeunt module info libquota.so    what a module's file says about itself

Exit status:
  0  done
  1  the daemon or a module said no
  2  wrong usage
  3  no daemon is running
  4  the configuration or a module was refused";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "exeunt", version, after_help = MORE)]
#[command(about = "Serves sessions by loadable modules, and sees every one of them out")]
pub(crate) struct Args {
    /// The configuration
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, PartialEq, Subcommand)]
pub(crate) enum Command {
    /// Run the daemon, in the foreground
    Run,
    /// Check everything that a start would check, and start nothing
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Look at modules' files, and pin them
    #[command(subcommand)]
    Module(Action),
    /// Finish what a daemon left that was killed: its sessions' listeners, and its own
    Replay,
    /// The role of a process that the daemon starts for itself.
    #[command(hide = true)]
    Zygote {
        /// What it was given.
        inheritance: OsString,
    },
    /// The daemon's process, as it goes on with this program.
    #[command(hide = true)]
    Resume {
        /// What it is handed.
        descriptor: i32,
        /// Only say whether it is understood.
        #[arg(long)]
        probe: bool,
    },
    /// The role of a process that `module check --run` starts.
    #[command(hide = true)]
    Trial {
        /// The module's file.
        file: PathBuf,
        /// Its settings, lines of TOML.
        settings: String,
    },
    /// What is asked of a daemon, or of what it wrote.
    #[command(flatten)]
    Client(Client),
}

/// A command that asks a daemon, or reads what it wrote.
#[derive(Debug, PartialEq, Subcommand)]
pub(crate) enum Client {
    /// Show the daemon, its generations and their modules
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Print the counters of the host and its modules as OpenMetrics text
        #[arg(long, conflicts_with = "json")]
        metrics: bool,
    },
    /// Show the open sessions
    Who {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the listeners of each event in the order in which they will run
    Listeners {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show how sessions ended, and what each listener did
    Exits {
        /// How many sessions, the latest; 0 for all
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: usize,
        /// Go on as sessions end
        #[arg(long)]
        follow: bool,
        /// Print the lines of the journal, one JSON object each
        #[arg(long)]
        json: bool,
    },
    /// Read the configuration and the modules again; open sessions finish on the old ones
    Reload {
        /// Go back to the generation before, with its very modules
        #[arg(long)]
        previous: bool,
    },
    /// End the daemon, and wait until it is gone
    Stop {
        /// How long sessions may go on, such as 10s [default: as configured]
        #[arg(long, value_name = "TIME", value_parser = length)]
        grace: Option<Duration>,
        /// End the sessions at once
        #[arg(long, conflicts_with = "grace")]
        now: bool,
    },
    /// Call a control action of a module
    Ctl {
        /// The module
        module: String,
        /// The action
        action: String,
        /// What the action takes; after `--` also what begins with a hyphen
        arguments: Vec<String>,
    },
    /// End one session
    Kick {
        /// Its id in `who`, such as tk3f9a-17, or the number at the end of it
        session: SessionId,
    },
}

/// What is to be done with modules' files.
#[derive(Debug, PartialEq, Subcommand)]
pub(crate) enum Action {
    /// Show what a module's file says about itself; none of its code runs
    Info {
        /// The file
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say whether this version of exeunt would take the file
    Check {
        /// The file
        file: PathBuf,
        /// Load it and run its init too, in a process of its own, as this user
        #[arg(long)]
        run: bool,
        /// A setting of the module, for --run
        #[arg(long, value_name = "KEY=VALUE", requires = "run")]
        set: Vec<String>,
    },
    /// Show the modules of the configuration, and the others in its module folders
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the SHA-256 of each module's present file into the configuration
    Pin {
        /// The modules [default: all that are enabled]
        names: Vec<String>,
    },
}

/// Reads the command line.
///
/// # Errors
///
/// If there is nothing to do: it was wrong, or it asked for help or for the version. That has been
/// printed; what is left is the exit status.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Args, ExitCode> {
    Args::try_parse_from(words).map_err(|wrong| {
        // There is nobody to tell if that cannot be printed.
        let _unwritten = wrong.print();
        u8::try_from(wrong.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
    })
}

/// A length of time, such as `10s`, `1h30m` or `0s`.
fn length(text: &str) -> Result<Duration, String> {
    let length: Result<SignedDuration, _> = text.parse();
    let length = length.ok().and_then(|length| Duration::try_from(length).ok());
    length.ok_or_else(|| "write numbers with units: 90s, 10m, 1h30m or 500ms".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn command(line: &str) -> Result<Command, i32> {
        let words = line.split_whitespace();
        Args::try_parse_from(words).map(|args| args.command).map_err(|wrong| wrong.exit_code())
    }

    fn client(line: &str) -> Client {
        match command(line) {
            Ok(Command::Client(client)) => client,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn each_command_is_understood() {
        assert_eq!(command("exeunt run"), Ok(Command::Run));
        assert_eq!(command("exeunt check --json"), Ok(Command::Check { json: true }));
        let inheritance = OsString::from("1:t:0:3");
        assert_eq!(command("exeunt zygote 1:t:0:3"), Ok(Command::Zygote { inheritance }));
        assert_eq!(client("exeunt who"), Client::Who { json: false });
        let exits = Client::Exits { last: 20, follow: true, json: false };
        assert_eq!(client("exeunt exits --follow"), exits);
    }

    #[test]
    fn the_configuration_may_stand_before_and_after_the_command() {
        for line in ["exeunt -c a.toml status", "exeunt status --config a.toml"] {
            let args = Args::try_parse_from(line.split(' ')).expect(line);
            assert_eq!(args.config, Some("a.toml".into()));
        }
    }

    #[test]
    fn a_grace_is_a_length_of_time() {
        let grace = |length| Client::Stop { grace: Some(length), now: false };
        assert_eq!(client("exeunt stop --grace 1m30s"), grace(Duration::from_secs(90)));
        assert_eq!(client("exeunt stop --grace 0s"), grace(Duration::ZERO));
        for wrong in ["10", "-10s", "soon", "s"] {
            assert_eq!(command(&format!("exeunt stop --grace={wrong}")), Err(2), "{wrong}");
        }
    }

    #[test]
    fn wrong_usage_has_status_2() {
        for line in [
            "exeunt",
            "exeunt begin",
            "exeunt run --now",
            "exeunt stop --now --grace 1s",
            "exeunt kick",
            "exeunt kick tk3f9a",
            "exeunt exits --last -1",
        ] {
            assert_eq!(command(line), Err(2), "{line}");
        }
    }

    #[test]
    fn help_and_version_have_status_0() {
        assert_eq!(command("exeunt --help"), Err(0));
        assert_eq!(command("exeunt --version"), Err(0));
    }

    #[test]
    fn help_documents_the_statuses_and_hides_the_role() {
        let help = Args::command().render_long_help().to_string();
        assert!(help.contains("3  no daemon is running"));
        assert!(help.contains("exeunt stop --grace 10s"));
        assert!(!help.contains("zygote"));
    }
}
