//! The reference of `modules.toml` compared with the code: keys, defaults, and what is reserved.

use std::collections::BTreeSet;

use super::{Config, config};
use crate::config::shape::{ROOT, Shape, TABLES};

const PAGE: &str = include_str!("../../../../docs/modules-toml.md");

/// A row of the table of a section: key and default.
fn rows(table: &Shape) -> Vec<(String, String)> {
    let head = format!("## `{}`: ", table.title);
    let section = PAGE.split_once(&head).unwrap_or_else(|| panic!("no section {head}")).1;
    let section = section.split("\n## ").next().expect("a section");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cell = |line: &str, at: usize| line.split('|').nth(at).expect("a cell").trim().to_owned();
    let rows: Vec<_> = rows.map(|line| (cell(line, 1), cell(line, 3), cell(line, 5))).collect();
    assert!(rows.iter().all(|(_, _, since)| !since.is_empty()), "{head} lacks a version");
    rows.into_iter().map(|(key, default, _)| (key.trim_matches('`').to_owned(), default)).collect()
}

#[test]
fn every_key_is_in_the_reference_and_nothing_else_is() {
    for table in TABLES {
        let rows: Vec<_> = rows(table).into_iter().map(|(key, _)| key).collect();
        assert_eq!(rows, table.keys, "left: docs/modules-toml.md; right: {}", table.title);
    }
    let sections = PAGE.lines().filter_map(|line| line.strip_prefix("## `"));
    let sections: BTreeSet<_> = sections.filter_map(|line| line.split('`').next()).collect();
    assert_eq!(sections, TABLES.iter().map(|table| table.title).collect());
    assert_eq!(ROOT.keys.len(), TABLES.len());
}

#[test]
fn the_reserved_keys_are_named() {
    let section = PAGE.split_once("## Reserved\n").expect("a section").1;
    let words = section.split('`').skip(1).step_by(2).filter(|word| !word.starts_with('['));
    let reserved = TABLES.iter().chain([&&ROOT]).flat_map(|table| table.later);
    assert_eq!(words.collect::<BTreeSet<_>>(), reserved.copied().collect());
}

#[test]
fn the_defaults_are_those_that_are_used() {
    let whole = config("");
    let bare = |config: Config| {
        let Config { host, control, log, limits, timeouts, exit, reload, .. } = config;
        let host = crate::config::Host { user_span: None, wtmp_span: None, ..host };
        (host, control, log, limits, timeouts, exit, reload)
    };
    let mut tried = 0;
    for table in TABLES.iter().filter(|table| !table.title.starts_with("[[")) {
        let rows = rows(table).into_iter();
        for (key, default) in rows.filter(|(_, default)| default.starts_with('`')) {
            let written = format!("{}\n{key} = {}\n", table.title, default.trim_matches('`'));
            assert_eq!(bare(config(&written)), bare(whole.clone()), "{written}");
            tried += 1;
        }
    }
    assert!(tried >= 20, "{tried} defaults were found");
}
