//! A module whose file can be changed without a compiler: `tests/storm` writes another number into its
//! code, or another name of the same length, and has another module. Its listeners write down the
//! number in their code and the one in their settings, so that nobody else has to be asked which
//! generation's code ran.
#![forbid(unsafe_code)]

use std::fs::OpenOptions;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};

use exeunt_api::prelude::*;

/// The number is in the file once, behind these words.
#[used]
static CODE: [u8; 28] = *b"exeunt-storm-code-0000000000";
/// The name is in the file as text only, so that another of the same length can take its place.
static NAME: &str = env!("CARGO_CRATE_NAME");

/// Settings of the module.
#[derive(Settings)]
struct Config {
    /// The file that each listener appends a line to.
    trace: Option<PathBuf>,
    /// The number of these settings.
    #[settings(default)]
    number: u64,
    /// How init goes wrong: `error`, `panic`, `abort`, `exit`; not at all if empty.
    #[settings(default)]
    fault: String,
}

struct Mark;

impl Module for Mark {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        if let Some(trace) = &config.trace {
            reg.may_write(trace)?;
        }
        for name in ["first", "second"] {
            let (trace, number) = (config.trace.clone(), config.number);
            reg.on_exit(name, move |exit| {
                let line = line(name, number, exit);
                trace.as_deref().map_or(Ok(()), |trace| append(trace, &line))
            })?;
        }
        fail(&config.fault)
    }
}

/// Goes wrong as the settings say; the listeners are registered by then.
#[expect(clippy::disallowed_methods, reason = "a module that ends the process is the test")]
fn fail(how: &str) -> Result<()> {
    match how {
        "error" => Err("the settings say so".to_owned().into()),
        "panic" => panic!("the settings say so"),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(0),
        _ => Ok(()),
    }
}

/// Which listener of which module, for whom, with which settings and code, why, and in which process.
fn line(listener: &str, number: u64, exit: &Exit<'_>) -> String {
    let code = String::from_utf8_lossy(black_box(&CODE)).into_owned();
    let code = code.rsplit('-').next().unwrap_or_default().to_owned();
    let view = if matches!(exit.view(), View::Live(_)) { "live" } else { "dead" };
    let (name, session, peer, cause) = (black_box(NAME), exit.session(), exit.peer(), exit.cause());
    format!("{name}/{listener} {session} {peer} {number} {code} {cause} {view}\n")
}

/// Appends in one write, so that lines of several processes do not mix.
fn append(trace: &Path, line: &str) -> Result<()> {
    let mut file = OpenOptions::new().append(true).open(trace)?;
    Ok(file.write_all(line.as_bytes())?)
}

export_module!(Mark);
