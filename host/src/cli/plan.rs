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
    /// What sessions may touch because modules declared it.
    #[serde(default)]
    pub(super) access: Vec<Access>,
}

/// A module as it was loaded.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Module {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) sha256: String,
}

/// A path that sessions may touch.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Access {
    pub(super) module: String,
    pub(super) access: String,
    pub(super) path: String,
}

/// An event and who listens.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Event {
    pub(super) event: String,
    /// In the order in which they run.
    pub(super) listeners: Vec<Listener>,
}

/// A listener's name.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Listener {
    pub(super) module: String,
    pub(super) listener: String,
}

impl Plan {
    /// Reads the plan of a generation from the runtime directory.
    pub(super) fn read(runtime_dir: &Path, generation: u64) -> io::Result<Self> {
        let path = runtime_dir.join(format!("plan.{generation}.json"));
        let text = std::fs::read(path)?;
        Ok(serde_json::from_slice(&text)?)
    }
}
