//! ARCHITECTURE.md and docs/dependencies.md compared with the code: an arrow that only one of them has
//! is a failure. What the host does is tested elsewhere; these tests read files and run nothing.

#[path = "architecture/tables.rs"]
mod tables;
#[path = "architecture/tree.rs"]
mod tree;

use std::collections::BTreeSet;

use tables::{rows, words};
use tree::{after, arrows, code, escapes, files, holds, names, read, rust_files};

/// The most lines of a file.
const LONGEST: usize = 400;
/// Files that are longer are named, as a reminder.
const LONG: usize = 250;
/// The crates of the workspace as code names them.
const CRATES: [&str; 2] = ["exeunt_api", "exeunt_ledger"];

#[test]
fn the_arrows_between_the_rooms_are_those_of_the_table() {
    let (architecture, code) = (read("ARCHITECTURE.md"), arrows(&CRATES));
    let table = rows(&architecture, "room");
    let rooms: Vec<String> = table.iter().map(|row| words(&row[0]).remove(0)).collect();
    let mut wrong = Vec::new();
    for (room, row) in rooms.iter().zip(&table) {
        let written: BTreeSet<String> = words(&row[2]).into_iter().collect();
        let Some(real) = code.get(room) else { panic!("there is no room `{room}`") };
        wrong.extend(
            real.difference(&written).map(|to| format!("{room} -> {to}: not in the table")),
        );
        wrong.extend(written.difference(real).map(|to| format!("{room} -> {to}: not in the code")));
    }
    wrong.extend(
        code.keys().filter(|room| !rooms.contains(room)).map(|r| format!("no row for {r}")),
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// So there is no circle, beside those that the table owns up to.
#[test]
fn arrows_point_down_the_table_unless_they_are_marked() {
    let architecture = read("ARCHITECTURE.md");
    let table = rows(&architecture, "room");
    let rooms: Vec<String> = table.iter().map(|row| words(&row[0]).remove(0)).collect();
    for (at, row) in table.iter().enumerate() {
        for to in words(&row[2]) {
            let down = CRATES.contains(&&*to) || rooms[at + 1..].contains(&to);
            let marked = row[2].contains(&format!("`{to}` (upwards)"));
            assert!(down != marked, "{} -> {to}", rooms[at]);
        }
    }
}

#[test]
fn no_room_is_left_through_super() {
    assert_eq!(escapes(), Vec::<String>::new());
}

#[test]
fn what_is_kept_to_some_places_is_nowhere_else() {
    let architecture = read("ARCHITECTURE.md");
    let all: Vec<String> = ["host", "plugin-api", "plugins", "tests/modules"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .collect();
    let mut wrong = Vec::new();
    for row in rows(&architecture, "only") {
        let (what, places) = (words(&row[0]).remove(0), words(&row[1]));
        let users: Vec<&String> = all.iter().filter(|path| holds(&code(path), &what)).collect();
        let within = |path: &str, place: &str| {
            path == place || path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'))
        };
        let outside = users.iter().filter(|path| !places.iter().any(|place| within(path, place)));
        wrong.extend(outside.map(|path| format!("{path} holds `{what}`")));
        let unused = places.iter().filter(|place| !users.iter().any(|path| within(path, place)));
        wrong.extend(unused.map(|place| format!("nothing in {place} holds `{what}`")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_crate_of_the_workspace_imports_those_of_the_table() {
    let architecture = read("ARCHITECTURE.md");
    let mut left: BTreeSet<String> = files("")
        .into_iter()
        .filter_map(|p| Some(p.strip_suffix("/Cargo.toml")?.to_owned()))
        .collect();
    for row in rows(&architecture, "crates") {
        let here: BTreeSet<String> =
            words(&row[0]).iter().flat_map(|p| matching(&left, p)).collect();
        let manifests = here.iter().map(|folder| format!("{folder}/Cargo.toml"));
        let own = manifests.flat_map(|m| dependencies(&m, "dependencies")).filter(|(_, own)| *own);
        let own: BTreeSet<String> = own.map(|(name, _)| name).collect();
        assert_eq!(
            own,
            words(&row[1]).into_iter().collect(),
            "left: imports of {here:?}; right: table"
        );
        left.retain(|folder| !here.contains(folder));
    }
    assert!(left.is_empty(), "no row for {left:?}");
}

/// The folders that a pattern such as `plugins/*` names.
fn matching(folders: &BTreeSet<String>, pattern: &str) -> Vec<String> {
    let parent = pattern.strip_suffix("/*");
    let is_it = |folder: &&String| match parent {
        Some(parent) => folder.rsplit_once('/').is_some_and(|(above, _)| above == parent),
        None => **folder == pattern,
    };
    folders.iter().filter(is_it).cloned().collect()
}

#[test]
fn plugins_have_no_more_than_any_author() {
    for path in rust_files("plugins") {
        let code = code(&path);
        let mut parts: BTreeSet<String> = after(&code, "exeunt_api::").flat_map(names).collect();
        parts.remove("prelude");
        if path.starts_with("plugins/ftp/") {
            parts.remove("settings");
        }
        assert!(parts.is_empty(), "{path} imports {parts:?}");
        if path.ends_with("src/lib.rs") {
            assert!(code.contains("#![forbid(unsafe_code)]"), "{path} does not forbid unsafe code");
        }
    }
}

#[test]
fn every_file_says_what_lives_in_it_and_is_short() {
    let mut wrong = Vec::new();
    for path in rust_files("") {
        let text = read(&path);
        let lines = text.lines().count();
        if !text.starts_with("//! ") {
            wrong.push(format!("{path} does not begin with `//!`"));
        }
        if lines > LONGEST {
            wrong.push(format!("{path} has {lines} lines, {LONGEST} are the most"));
        } else if lines > LONG {
            println!("note: {path} has {lines} lines, more than {LONG}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_names_the_folder_that_it_lies_in() {
    let own = tree::root();
    let own = own.to_str().expect("a path in UTF-8");
    let named: Vec<String> = files("").into_iter().filter(|path| holds(&read(path), own)).collect();
    assert_eq!(named, Vec::<String>::new());
}

#[test]
fn what_the_documents_point_at_exists() {
    let documents = files("").into_iter().filter(|path| path.ends_with(".md"));
    for path in documents {
        let text = read(&path);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for link in links.filter(|link| !link.is_empty() && !link.contains("://")) {
            assert!(tree::root().join(folder).join(link).exists(), "{path} links to {link}");
        }
        let is_path = |word: &String| {
            let begins = ["host/", "plugin-api/", "plugins/", "tests/", "docs/"];
            begins.iter().any(|b| word.starts_with(b)) && !word.contains(['*', ' ', '{', '<'])
        };
        for word in words(&text).iter().filter(|word| is_path(word)) {
            assert!(tree::root().join(word).exists(), "{path} speaks of {word}");
        }
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let document = read("docs/dependencies.md");
    let rows = rows(&document, "crate");
    let reasons: BTreeSet<String> = rows.iter().map(|row| words(&row[0]).remove(0)).collect();
    let mut used = BTreeSet::new();
    for manifest in files("").into_iter().filter(|path| path.ends_with("/Cargo.toml")) {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let foreign = dependencies(&manifest, kind).into_iter().filter(|(_, own)| !own);
            used.extend(foreign.map(|(name, _)| name));
        }
    }
    let listed = dependencies("Cargo.toml", "workspace").into_iter().filter(|(_, own)| !own);
    assert_eq!(reasons, used, "left: docs/dependencies.md; right: the crates' Cargo.toml");
    assert_eq!(used, listed.map(|(name, _)| name).collect(), "right: [workspace.dependencies]");
}

/// The dependencies of a manifest, and whether each is a crate of the workspace.
fn dependencies(manifest: &str, kind: &str) -> Vec<(String, bool)> {
    let manifest: toml::Table = read(manifest).parse().expect("TOML");
    let workspace: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let shared = &workspace["workspace"]["dependencies"];
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten();
    let of_targets = targets.filter_map(|(_, target)| target.get(kind));
    let own = if kind == "workspace" { Some(shared) } else { manifest.get(kind) };
    let tables = own.into_iter().chain(of_targets).filter_map(toml::Value::as_table);
    let table: toml::Table = tables.flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    let is_own = |name: &str, value: &toml::Value| {
        let shared = shared.get(name);
        value.get("path").or_else(|| shared.and_then(|shared| shared.get("path"))).is_some()
    };
    table.iter().map(|(name, value)| (name.clone(), is_own(name, value))).collect()
}
