//! Tests of whole files, and what they have in common.

mod reference;
mod refusals;
mod robust;
mod values;

use std::ffi::OsString;

use super::{Config, Environment, Problems, Source, parse};

/// The file in the root of the repository.
const SAMPLE: &str = include_str!("../../../../modules.toml");
/// What every configuration needs, added after the text of a test.
const LISTEN: &str = "[[listen]]\nname = 'l'\naddress = '127.0.0.1:2121'\nprotocol = 'ftp'\n";

fn environment(root: bool, variable: &dyn Fn(&str) -> Option<OsString>) -> Environment<'_> {
    Environment { root, uid: 1000, folder: "/srv".into(), variable }
}

fn source(text: &str) -> Source {
    Source { path: "conf/modules.toml".into(), text: text.into() }
}

fn parse_text(text: &str) -> Result<Config, Problems> {
    parse(&source(text), &environment(true, &|_| None))
}

fn config(text: &str) -> Config {
    parse_text(&format!("{text}{LISTEN}")).expect("no problems")
}
