//! `exeunt module info` and `check`: the note of one file, its sum and its settings.

use std::path::Path;

use serde_json::{Value, json};

use super::{seen, show};
use crate::cli::Streams;
use crate::cli::refusal::Failure;
use crate::modules::Seen;

/// Shows what the file says.
pub(super) fn run(file: &Path, json: bool, streams: &mut Streams<'_>) -> Result<(), Failure> {
    let seen = seen(file)?;
    let schema = serde_json::from_str(&seen.identity.schema).unwrap_or_default();
    streams.say(&if json { for_programs(file, &seen, &schema) } else { for_people(&seen, &schema) })
}

/// Says that the file would be taken.
pub(super) fn check(file: &Path, streams: &mut Streams<'_>) -> Result<(), Failure> {
    let identity = seen(file)?.identity;
    let (file, name) = (show::escape(&file.to_string_lossy()), show::escape(&identity.name));
    streams.say(&format!("{file} is right: it holds the module `{name}`\n"))?;
    streams.note("none of its code ran; --run loads it and runs its init");
    Ok(())
}

fn interface(seen: &Seen) -> String {
    let (major, minor) = seen.identity.abi;
    format!("{major}.{minor}")
}

fn for_programs(file: &Path, seen: &Seen, schema: &Value) -> String {
    show::json(&json!({
        "name": seen.identity.name,
        "version": seen.identity.version,
        "interface": interface(seen),
        "compiler": seen.identity.compiler,
        "sha256": seen.sha256,
        "file": file.to_string_lossy(),
        "settings": schema["fields"],
    }))
}

fn for_people(seen: &Seen, schema: &Value) -> String {
    let identity = &seen.identity;
    let rows = [
        ("name", &identity.name),
        ("version", &identity.version),
        ("interface", &interface(seen)),
        ("compiler", &identity.compiler),
        ("sha256", &seen.sha256),
    ];
    let rows = rows.map(|(key, value)| [key.to_owned(), show::escape(value)]);
    let mut shown = show::columns("", &rows);
    match schema["fields"].as_array() {
        None => shown.push_str("\nit does not describe its settings\n"),
        Some(fields) if fields.is_empty() => shown.push_str("\nit has no settings\n"),
        Some(fields) => {
            shown.push_str("\nsettings\n");
            shown.push_str(&show::columns("  ", &fields.iter().map(setting).collect::<Vec<_>>()));
        }
    }
    shown
}

/// Name, type, whether it is needed, and the first line of its description.
fn setting(field: &Value) -> [String; 4] {
    let text = |key: &str| show::escape(field[key].as_str().unwrap_or_default());
    let needed = match &field["default"] {
        _ if field["required"] == true => "required".to_owned(),
        Value::Null => "optional".to_owned(),
        default => show::escape(&format!("default {default}")),
    };
    let doc = field["doc"].as_str().unwrap_or_default().lines().next().unwrap_or_default();
    [text("name"), text("type"), needed, show::escape(doc)]
}
