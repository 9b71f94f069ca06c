//! What is read, what is refused, and the schema.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::Setting;
use crate::bridge::fake;
use crate::prelude::*;

/// What to do with a guest.
#[derive(Settings, Debug, Default, PartialEq)]
enum Mood {
    /// Smile.
    #[default]
    Friendly,
    VeryQuiet,
}

#[derive(Settings, Debug, PartialEq)]
struct Inner {
    /// A port.
    port: u16,
}

#[derive(Settings, Debug, PartialEq)]
struct Config {
    /// Where "everything" is.
    root: PathBuf,
    #[settings(default = "hello")]
    greeting: String,
    #[settings(default)]
    mood: Mood,
    #[settings(default = Duration::from_secs(90))]
    patience: Duration,
    #[settings(secret)]
    password: Option<String>,
    #[settings(default)]
    ports: Vec<u16>,
    #[settings(default)]
    rooms: BTreeMap<String, Inner>,
    #[settings(default = -1)]
    r#loop: i8,
}

/// What the settings read as, and the problems as `value: problem (hint)`.
fn read<T: Setting>(settings: &Json) -> (Option<T>, Vec<String>) {
    let read = T::read(fake::value(settings));
    let problems = fake::with(|fake| std::mem::take(&mut fake.problems));
    let shown =
        problems.iter().map(|(value, problem, hint)| format!("{value}: {problem} ({hint})"));
    (read, shown.collect())
}

#[test]
fn everything_that_is_left_out_has_its_default() {
    let (config, problems) = read::<Config>(&json!({"root": "/srv"}));
    let config = config.unwrap();
    assert_eq!((config.greeting.as_str(), config.mood), ("hello", Mood::Friendly));
    assert_eq!((config.patience, config.password), (Duration::from_secs(90), None));
    assert_eq!((config.ports, config.rooms.len(), config.r#loop), (vec![], 0, -1));
    assert!(problems.is_empty());
}

#[test]
fn everything_that_is_written_is_read() {
    let (config, problems) = read::<Config>(&json!({
        "root": "/srv", "greeting": "hi", "mood": "very-quiet", "patience": "1m30s",
        "password": "x", "ports": [1, 65535], "rooms": {"a": {"port": 7}}, "loop": -128,
    }));
    assert_eq!(problems, [""; 0]);
    let config = config.unwrap();
    assert_eq!((config.mood, config.ports), (Mood::VeryQuiet, vec![1, 65535]));
    assert_eq!((config.rooms["a"].port, config.r#loop), (7, -128));
    assert_eq!((config.patience, config.password), (Duration::from_secs(90), Some("x".into())));
}

#[test]
fn all_problems_are_reported_at_once() {
    let (config, problems) = read::<Config>(&json!({
        "root": 5, "patience": 90, "ports": [70000, -1, "x"], "rooms": {"a": {}}, "mood": "freindly",
    }));
    assert_eq!(config, None);
    let starts = [
        "5: a path is needed, this is a whole number (",
        "\"freindly\": `freindly` is not possible here (did you mean `friendly`?)",
        "90: a length of time is needed, this is a whole number (",
        "70000: 70000 is out of range: 65535 at most (from 0 to 65535)",
        "-1: -1 is out of range: 0 at least (from 0 to 65535)",
        "\"x\": a whole number is needed, this is text (",
        "{}: the setting `port` is missing (`port`: A port.)",
    ];
    assert_eq!(problems.len(), starts.len(), "{problems:#?}");
    for (problem, start) in problems.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem} / {start}");
    }
}

#[test]
fn an_unknown_setting_is_refused_with_the_nearest_name() {
    let (_, problems) = read::<Config>(&json!({"rot": "/srv", "zebra": 1}));
    assert_eq!(problems[0], "\"/srv\": unknown setting `rot` (did you mean `root`?)");
    assert!(problems[1].starts_with("1: unknown setting `zebra` (the settings are `root`, "));
    // That `root` is missing needs no saying twice.
    assert_eq!(problems.len(), 2, "{problems:#?}");
}

#[test]
fn a_module_without_settings_refuses_any() {
    assert_eq!(read::<()>(&json!({})), (Some(()), vec![]));
    let (_, problems) = read::<()>(&json!({"a": 1}));
    assert_eq!(problems, ["1: unknown setting `a` (there are no settings here)"]);
}

#[test]
fn the_schema_is_json_and_complete_at_compile_time() {
    const SCHEMA: [u8; Config::SHAPE.schema_len()] = Config::SHAPE.schema();
    let schema: Json = serde_json::from_slice(&SCHEMA).unwrap();
    let field = |name: &str| {
        let fields = schema["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).unwrap().clone()
    };
    assert_eq!(
        field("root"),
        json!({"name": "root", "type": "path", "required": true, "default": null,
               "secret": false, "doc": "Where \"everything\" is."})
    );
    assert_eq!(field("patience")["default"], "90s");
    assert_eq!(
        field("loop"),
        json!({"name": "loop", "type": "integer", "min": -128, "max": 127,
        "required": false, "default": -1, "secret": false, "doc": ""})
    );
    assert_eq!(
        (&field("password")["secret"], &field("password")["required"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(field("ports")["of"]["max"], 65535);
    assert_eq!(field("rooms")["of"]["fields"][0]["name"], "port");
    assert_eq!(field("mood")["choices"][1], json!({"name": "very-quiet", "doc": ""}));
}
