//! What may be written: the tables of `modules.toml` and the keys of each.
//!
//! Not here: what the values must be (`host`, `bounds`, `lists`).

use super::problem::Problem;
use super::value::Key;

/// One table and its keys.
pub(super) struct Shape {
    /// How the table is named in a message.
    pub(super) title: &'static str,
    /// The keys that work.
    pub(super) keys: &'static [&'static str],
    /// Keys that are reserved for a later version.
    pub(super) later: &'static [&'static str],
}

/// The outermost table.
pub(super) const ROOT: Shape = Shape {
    title: "modules.toml",
    keys: &["host", "control", "log", "listen", "limits", "timeouts", "exit", "reload", "module"],
    later: &["include"],
};

/// The daemon itself.
pub(super) const HOST: Shape = Shape {
    title: "[host]",
    keys: &[
        "user",
        "runtime_dir",
        "state_dir",
        "module_dirs",
        "pid_file",
        "journal_max",
        "spares",
        "capacity",
        "require_pins",
        "wtmp",
    ],
    later: &[],
};

/// Who may ask the daemon.
pub(super) const CONTROL: Shape = Shape { title: "[control]", keys: &["group"], later: &[] };

/// Where the log goes.
pub(super) const LOG: Shape =
    Shape { title: "[log]", keys: &["to", "level", "format"], later: &[] };

/// One address to listen on.
pub(super) const LISTEN: Shape = Shape {
    title: "[[listen]]",
    keys: &["name", "address", "protocol", "config"],
    later: &["login_users"],
};

/// How many sessions.
pub(super) const LIMITS: Shape = Shape {
    title: "[limits]",
    keys: &[
        "sessions",
        "sessions_per_address",
        "connections_per_minute",
        "logins",
        "logins_per_address",
        "logins_per_user",
        "login_attempts",
    ],
    later: &[],
};

/// What a client may take.
pub(super) const TIMEOUTS: Shape = Shape {
    title: "[timeouts]",
    keys: &["login", "idle", "no_transfer", "stalled", "session"],
    later: &[],
};

/// What an end may take.
pub(super) const EXIT: Shape = Shape {
    title: "[exit]",
    keys: &["listener", "chain", "linger", "grace", "kill_after"],
    later: &[],
};

/// What a reload may take.
pub(super) const RELOAD: Shape =
    Shape { title: "[reload]", keys: &["ready", "generations"], later: &[] };

/// One module.
pub(super) const MODULE: Shape = Shape {
    title: "[[module]]",
    keys: &["name", "enabled", "file", "sha256", "grant", "listener", "config"],
    later: &[],
};

/// Every table below the outermost one.
pub(super) const TABLES: [&Shape; 9] =
    [&HOST, &CONTROL, &LOG, &LISTEN, &LIMITS, &TIMEOUTS, &EXIT, &RELOAD, &MODULE];

impl Shape {
    /// What is wrong with `key` in this table, if anything.
    pub(super) fn refuse(&self, key: &Key) -> Option<Problem> {
        let name = key.name.as_str();
        if self.keys.contains(&name) {
            return None;
        }
        let problem = if self.later.contains(&name) {
            Problem::new(format!("`{name}` is not supported by this version"))
        } else {
            Problem::new(format!("unknown key `{name}` in {}", self.title))
        };
        Some(problem.hint(self.advice(name)).at(key.span.clone()))
    }

    fn advice(&self, name: &str) -> String {
        let keys = || format!("the keys of {} are {}", self.title, quoted(self.keys, "and"));
        if self.later.contains(&name) {
            return "remove it".into();
        }
        let mut homes = TABLES.iter().filter(|table| table.keys.contains(&name));
        let home = match (homes.next(), homes.next()) {
            (Some(home), None) => Some(format!("`{name}` belongs in {}", home.title)),
            _ => None,
        };
        let meant = nearest(name, self.keys).map(|word| format!("did you mean `{word}`?"));
        match (meant, home) {
            (Some(meant), Some(home)) => format!("{meant} ({home})"),
            (meant, home) => meant.or(home).unwrap_or_else(keys),
        }
    }
}

/// The word that was probably meant: at most a third of the letters wrong or in the wrong place.
pub(super) fn nearest<'a>(written: &str, words: &[&'a str]) -> Option<&'a str> {
    let limit = (written.chars().count() / 3).max(1);
    words
        .iter()
        .map(|word| (strsim::damerau_levenshtein(&written.to_lowercase(), word), *word))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Words for a message: `` `a`, `b` and `c` `` where `last` is `and`.
pub(super) fn quoted(words: &[&str], last: &str) -> String {
    let mut words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    let end = words.pop().unwrap_or_default();
    if words.is_empty() { end } else { format!("{} {last} {end}", words.join(", ")) }
}
