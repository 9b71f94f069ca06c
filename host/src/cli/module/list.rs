//! `exeunt module list`: the modules of the configuration in their order, then the others that lie in
//! its module folders.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{configuration, file_of, folders, short, show};
use crate::cli::Streams;
use crate::cli::refusal::Failure;
use crate::config::{self, Config};
use crate::modules::{self, Seen};

struct Row {
    name: String,
    /// `enabled`, `disabled`, or `unused`: not in the configuration.
    state: &'static str,
    pin: Option<String>,
    file: Option<PathBuf>,
    seen: Result<Seen, String>,
}

/// Lists them.
pub(super) fn run(
    config: Option<&Path>,
    json: bool,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let (_, config) = configuration(config)?;
    let mut rows: Vec<Row> = config.modules.iter().map(|module| row(module, &config)).collect();
    rows.extend(others(&config, &rows));
    if json {
        let modules: Vec<Value> = rows.iter().map(Row::json).collect();
        return streams.say(&show::json(&json!({ "modules": modules })));
    }
    streams.say(&show::columns("", &rows.iter().map(Row::cells).collect::<Vec<_>>()))
}

fn row(module: &config::Module, config: &Config) -> Row {
    let found = file_of(module, config);
    let seen = match &found {
        Ok(file) => modules::see(file).and_then(|seen| right_name(seen, &module.name)),
        Err(why) => Err(why.clone()),
    };
    Row {
        name: module.name.clone(),
        state: if module.enabled { "enabled" } else { "disabled" },
        pin: module.sha256.clone(),
        file: found.ok(),
        seen: seen.map_err(|why| why.message),
    }
}

fn right_name(seen: Seen, name: &str) -> Result<Seen, modules::Refusal> {
    if seen.identity.name == name {
        return Ok(seen);
    }
    Err(modules::Refusal::new(format!("it holds the module `{}`", seen.identity.name)))
}

/// The modules of the folders that the configuration does not name.
fn others(config: &Config, known: &[Row]) -> Vec<Row> {
    let files = folders(config).into_iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten();
    let files: BTreeSet<PathBuf> = files.flatten().map(|entry| entry.path()).collect();
    let mut rows: Vec<Row> = Vec::new();
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str());
        let name = name.and_then(|name| name.strip_prefix("lib")?.strip_suffix(".so"));
        // What is no module is somebody else's library.
        let Some((name, Ok(seen))) = name.map(|name| (name, modules::see(&file))) else { continue };
        let is_known = known.iter().chain(&rows).any(|row| row.name == name);
        if !is_known && seen.identity.name == name {
            let name = name.to_owned();
            rows.push(Row { name, state: "unused", pin: None, file: Some(file), seen: Ok(seen) });
        }
    }
    rows
}

impl Row {
    fn pinned(&self) -> &'static str {
        match (&self.pin, &self.seen) {
            (Some(pin), Ok(seen)) if *pin != seen.sha256 => "another is pinned",
            (Some(_), _) => "pinned",
            (None, _) => "-",
        }
    }

    fn cells(&self) -> [String; 6] {
        let (version, sum) = match &self.seen {
            Ok(seen) => (show::escape(&seen.identity.version), short(&seen.sha256)),
            Err(why) => (show::escape(why), "-".to_owned()),
        };
        let file = self.file.as_ref().map(|file| file.to_string_lossy().into_owned());
        let (state, pinned) = (self.state.to_owned(), self.pinned().to_owned());
        [self.name.clone(), state, version, sum, pinned, show::or_dash(file.as_deref())]
    }

    fn json(&self) -> Value {
        let seen = self.seen.as_ref().ok();
        json!({
            "name": self.name,
            "state": self.state,
            "version": seen.map(|seen| &seen.identity.version),
            "sha256": seen.map(|seen| &seen.sha256),
            "pin": self.pin,
            "file": self.file.as_ref().map(|file| file.to_string_lossy()),
            "refusal": self.seen.as_ref().err(),
        })
    }
}
