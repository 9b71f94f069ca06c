//! The tree as it is: its files, and what their code names. What it should be is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, and which rooms and crates of the workspace each names.
pub(crate) type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("host lies in the workspace").to_owned()
}

pub(crate) fn read(path: &str) -> String {
    let text = fs::read(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    String::from_utf8_lossy(&text).into_owned()
}

/// Every file beneath a folder of the workspace that is not hidden and not a product of a build.
pub(crate) fn files(beneath: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(beneath)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            let path = entry.path();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if path.is_file() {
                let path = path.strip_prefix(root()).expect("beneath the root");
                found.push(path.to_str().expect("a path in UTF-8").to_owned());
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn rust_files(beneath: &str) -> Vec<String> {
    files(beneath).into_iter().filter(|path| path.ends_with(".rs")).collect()
}

/// The code of a file, without its comments.
pub(crate) fn code(path: &str) -> String {
    let text = read(path);
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What follows each `path` in `code` that begins at a word.
pub(crate) fn after<'a>(code: &'a str, path: &'a str) -> impl Iterator<Item = &'a str> {
    let begins = |at: usize| !code[..at].ends_with(|c| is_word(c) || c == ':');
    code.match_indices(path)
        .filter(move |(at, _)| begins(*at))
        .map(|(at, _)| &code[at + path.len()..])
}

/// Whether `code` holds `word`, not as a part of a longer one.
pub(crate) fn holds(code: &str, word: &str) -> bool {
    after(code, word).any(|rest| !word.ends_with(is_word) || !rest.starts_with(is_word))
}

/// The first names of the paths that stand behind `crate::` or the like: one, or those in braces.
pub(crate) fn names(rest: &str) -> BTreeSet<String> {
    let Some(group) = rest.strip_prefix('{') else { return BTreeSet::from([name(rest)]) };
    let (mut depth, mut names) = (0_usize, BTreeSet::from([name(group)]));
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => drop(names.insert(name(&group[at + 1..]))),
            _ => {}
        }
    }
    names.remove("");
    names
}

fn name(text: &str) -> String {
    text.trim_start().chars().take_while(|c| is_word(*c)).collect()
}

/// The room of a file of `host/src`, and how deep in it the file's module lies.
fn place(path: &str) -> (String, usize) {
    let inner = path.strip_prefix("host/src/").expect("a file of the host");
    let parts: Vec<&str> = inner.trim_end_matches(".rs").split('/').collect();
    let depth = parts.len() - usize::from(parts.last() == Some(&"mod"));
    (parts[0].to_owned(), depth)
}

/// The arrows between the rooms of `host/src`, as the code has them.
pub(crate) fn arrows(crates: &[&str]) -> Arrows {
    let mut arrows = Arrows::new();
    let rooms: BTreeSet<String> =
        rust_files("host/src").iter().map(|path| place(path).0).filter(|r| r != "main").collect();
    for path in rust_files("host/src") {
        let (room, _) = place(&path);
        let code = code(&path);
        let named = arrows.entry(room.clone()).or_default();
        named.extend(after(&code, "crate::").flat_map(names));
        named.extend(crates.iter().filter(|c| holds(&code, c)).map(|c| (*c).to_owned()));
        if room == "main" {
            named.extend(rooms.iter().filter(|r| holds(&code, &format!("{r}::"))).cloned());
        }
        named.remove(&room);
    }
    arrows
}

/// The files of `host/src` that leave their room by `super`, which no table of arrows would see.
pub(crate) fn escapes() -> Vec<String> {
    let leaves = |path: &String| {
        let (_, depth) = place(path);
        let code = code(path);
        // Modules that stand in the file itself, such as tests, are one level deeper.
        let own = code.find("\nmod tests {").unwrap_or(code.len());
        let up = "super::";
        code[..own].contains(&up.repeat(depth)) || code[own..].contains(&up.repeat(depth + 1))
    };
    rust_files("host/src").into_iter().filter(leaves).collect()
}
