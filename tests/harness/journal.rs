//! The journal as the tests read it: from the file, not by way of the command under test.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// An ended session.
#[derive(Clone, Debug)]
pub(crate) struct Exit {
    pub(crate) session: String,
    pub(crate) cause: String,
    pub(crate) detail: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) sealed: bool,
    pub(crate) listeners: Vec<Told>,
    pub(crate) json: Value,
}

/// How one listener went.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) module: String,
    pub(crate) listener: String,
    pub(crate) outcome: String,
    pub(crate) error: Option<String>,
    pub(crate) by: String,
    pub(crate) ms: f64,
    pub(crate) attempt: u64,
}

impl Exit {
    fn read(line: &str) -> Self {
        let json: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in: {line}"));
        let listeners = json["listeners"].as_array().expect("listeners").iter();
        Self {
            session: text(&json, "session"),
            cause: text(&json, "cause"),
            detail: json["detail"].as_str().map(str::to_owned),
            user: json["user"].as_str().map(str::to_owned),
            sealed: json["sealed"].as_bool().expect("sealed"),
            listeners: listeners.map(Told::read).collect(),
            json,
        }
    }

    /// The outcomes in their order, for instance `done failed done`.
    pub(crate) fn outcomes(&self) -> String {
        self.words(|told| &told.outcome)
    }

    /// Which processes ran the listeners, for instance `session session runner`.
    pub(crate) fn by(&self) -> String {
        self.words(|told| &told.by)
    }

    fn words<'a>(&'a self, word: impl Fn(&'a Told) -> &'a str) -> String {
        self.listeners.iter().map(word).collect::<Vec<_>>().join(" ")
    }
}

impl Told {
    fn read(json: &Value) -> Self {
        Self {
            module: text(json, "module"),
            listener: text(json, "listener"),
            outcome: text(json, "outcome"),
            error: json["error"].as_str().map(str::to_owned),
            by: text(json, "by"),
            ms: json["ms"].as_f64().expect("ms"),
            attempt: json["attempt"].as_u64().expect("attempt"),
        }
    }
}

fn text(json: &Value, key: &str) -> String {
    json[key].as_str().unwrap_or_else(|| panic!("no text {key} in {json}")).to_owned()
}

/// The whole lines of the journal in that state directory.
pub(super) fn read(state_dir: &Path) -> Vec<Exit> {
    let text = fs::read_to_string(state_dir.join("exits.jsonl")).unwrap_or_default();
    text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(Exit::read).collect()
}
