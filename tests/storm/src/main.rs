//! The command line of the storms: each prints its figures and what must not be, and fails if there
//! is anything of the latter.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use storm::programs::Programs;
use storm::seed::Seed;
use storm::summary::Summary;
use storm::{costs, hang, kills, reload, reload_time, spares, starved};

/// Loads and measures a real daemon.
#[derive(Parser)]
struct Cli {
    /// The daemon; built from this repository if absent
    #[arg(long, requires = "module_dir")]
    exeunt: Option<PathBuf>,
    /// The folder with its modules
    #[arg(long, requires = "exeunt")]
    module_dir: Option<PathBuf>,
    #[command(subcommand)]
    storm: Storm,
}

#[derive(Subcommand)]
enum Storm {
    /// Changes modules under load; kills zygotes; executes the supervisor again
    Reload {
        /// Reloads with changes
        #[arg(long, default_value_t = 100)]
        reloads: usize,
        /// New sessions a second, at least
        #[arg(long, default_value_t = 200)]
        rate: u32,
        /// Zygotes that are killed
        #[arg(long, default_value_t = 3)]
        kills: usize,
        /// Repeats the choices of an earlier run
        #[arg(long)]
        seed: Option<u64>,
        /// Leaves the folder of the daemon where it is
        #[arg(long)]
        keep: bool,
    },
    /// Kills sessions, runners, zygotes and the supervisor at random
    Kills {
        /// Sessions
        #[arg(long, default_value_t = 20_000)]
        sessions: usize,
        /// So many clients at the same time
        #[arg(long, default_value_t = 48)]
        clients: usize,
        /// How long each listener with a wish takes, in milliseconds
        #[arg(long, default_value_t = 2)]
        pause: u64,
        /// Repeats the choices of an earlier run
        #[arg(long)]
        seed: Option<u64>,
        /// Leaves the folder of the daemon where it is
        #[arg(long)]
        keep: bool,
    },
    /// Measures a reload of many modules
    ReloadTime {
        /// How many
        #[arg(long, default_value_t = 20)]
        modules: usize,
    },
    /// Reloads with held sessions and few descriptors
    Held {
        /// Reloads
        #[arg(long, default_value_t = 200)]
        reloads: usize,
        /// RLIMIT_NOFILE of the daemon
        #[arg(long, default_value_t = 256)]
        nofile: u32,
    },
    /// Measures what ledger and timer cost a session
    Costs,
    /// Measures an end at which every listener hangs
    Hang {
        /// Listeners
        #[arg(long, default_value_t = 10)]
        listeners: u32,
    },
    /// Measures connections with and without spares
    Spares {
        /// Sessions for each figure
        #[arg(long, default_value_t = 2000)]
        sessions: usize,
    },
}

fn main() -> ExitCode {
    let summary = run(Cli::parse());
    let mut out = io::stdout().lock();
    let (text, good) = match summary {
        Ok(summary) => (summary.to_string(), summary.violations.is_empty()),
        Err(why) => (format!("error: {why}\n"), false),
    };
    let shown = out.write_all(text.as_bytes());
    if good && shown.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(cli: Cli) -> storm::Result<Summary> {
    let programs = match (cli.exeunt, cli.module_dir) {
        (Some(exeunt), Some(modules)) => Programs { exeunt, modules },
        _ => Programs::build()?,
    };
    match cli.storm {
        Storm::Reload { reloads, rate, kills, seed, keep } => {
            let seed = seed.map_or_else(Seed::of_now, Seed);
            writeln!(io::stdout(), "{:<38} {}", "seed", seed.0)?;
            let plan = reload::Plan { reloads, rate, kills, wrong_every: 3, seed, keep };
            reload::run(&programs, &plan)
        }
        Storm::Kills { sessions, clients, pause, seed, keep } => {
            let seed = seed.map_or_else(Seed::of_now, Seed);
            writeln!(io::stdout(), "{:<38} {}", "seed", seed.0)?;
            let pause = Duration::from_millis(pause);
            let plan = kills::Plan { sessions, clients, pause, seed, keep };
            kills::run(&programs, &plan)
        }
        Storm::ReloadTime { modules } => reload_time::run(&programs, modules),
        Storm::Held { reloads, nofile } => starved::run(&programs, reloads, nofile),
        Storm::Costs => costs::run(&programs),
        Storm::Hang { listeners } => hang::run(&programs, listeners),
        Storm::Spares { sessions } => spares::run(&programs, sessions),
    }
}
