//! The plan of a generation as the daemon wrote it down: its modules, and the listeners of each event
//! in the order in which they will run.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What a generation will do.
#[derive(Debug, Deserialize)]
pub(crate) struct Plan {
    /// In the order of registration.
    pub(super) modules: Vec<Module>,
    /// Each event that has listeners.
    pub(super) events: Vec<Event>,
}

/// A module as it was loaded.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Module {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) sha256: String,
}

/// An event and who listens.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Event {
    pub(super) event: String,
    /// In the order in which they run.
    pub(super) listeners: Vec<Listener>,
}

/// A listener: its name, and how it is run.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Listener {
    pub(super) module: String,
    pub(super) listener: String,
    /// `session`, `runner` or `root-runner`, for `core.exit`; none for other events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    /// How often it may be tried.
    #[serde(default = "once")]
    pub(super) attempts: u32,
    #[serde(default)]
    pub(super) deadline_ms: u64,
}

fn once() -> u32 {
    1
}

impl Listener {
    /// What is not usual about it, for people.
    pub(super) fn wish(&self) -> String {
        let place = self.place.as_deref().filter(|place| *place != "session");
        let tries = (self.attempts > 1).then(|| format!("{} attempts", self.attempts));
        let parts: Vec<_> = place.map(str::to_owned).into_iter().chain(tries).collect();
        if parts.is_empty() { String::new() } else { format!("  ({})", parts.join(", ")) }
    }
}

impl Plan {
    /// Reads the plan of a generation from the runtime directory.
    pub(super) fn read(runtime_dir: &Path, generation: u64) -> io::Result<Self> {
        let path = runtime_dir.join(format!("plan.{generation}.json"));
        let text = std::fs::read(path)?;
        Ok(serde_json::from_slice(&text)?)
    }
}
