//! Settings of modules that are refused: each problem at its place, with the line and a caret.

use std::fs;

use super::{is_refused, says};
use crate::harness::*;

/// `file:line:column` of a text in `modules.toml`.
fn place(setup: &Setup, text: &str) -> String {
    let toml = fs::read_to_string(setup.path("modules.toml")).expect("it was written");
    let at = toml.find(text).expect("the text is in it");
    let line = toml[..at].lines().last().unwrap_or_default();
    let column = if toml[..at].ends_with('\n') { 1 } else { line.len() + 1 };
    format!("modules.toml:{}:{column}\n", toml[..at].matches('\n').count() + 1)
}

/// The line is shown, and the carets below it mark the word.
#[track_caller]
fn marks(output: &Output, line: &str, word: &str) {
    let lines: Vec<&str> = output.stderr.lines().collect();
    let shown = lines.iter().position(|shown| shown.ends_with(&format!("| {line}")));
    let shown = shown.unwrap_or_else(|| panic!("{line:?} is not shown in:\n{}", output.text));
    let at = lines[shown].len() - line.len() + line.find(word).expect("the word is in the line");
    let below = lines[shown + 1];
    assert_eq!(below.find('^'), Some(at), "{}", output.text);
    assert_eq!(below.matches('^').count(), word.len(), "{}", output.text);
}

#[test]
fn an_unknown_setting_is_refused_with_the_nearest_one() {
    let setup = Setup::new().module_with("hello", "farwell = 'so long'").listen("echo");
    let refusal = is_refused(&setup, &["module `hello`: unknown setting `farwell`"]);
    says(&refusal, &["did you mean `farewell`?", &place(&setup, "'so long'"), "1 problem in"]);
    marks(&refusal, "farwell = 'so long'", "'so long'");
}

#[test]
fn a_setting_of_the_wrong_type_is_refused_at_its_place() {
    let setup = Setup::new().module_with("hello", "  farewell = 424242").listen("echo");
    let refusal = is_refused(&setup, &["module `hello`: ", "this is a whole number"]);
    says(&refusal, &[&place(&setup, "424242")]);
    marks(&refusal, "  farewell = 424242", "424242");
}

#[test]
fn a_missing_setting_is_refused_with_its_meaning() {
    let setup = Setup::new().module("hello").listen("echo");
    let missing = "module `hello`: the setting `farewell` is missing";
    is_refused(&setup, &[missing, "`farewell`: The words to log."]);
}

#[test]
fn a_choice_that_there_is_not_is_refused_with_the_nearest_one() {
    let setup = Setup::new().module_with("misbehave", "how = 'panik'").listen("echo");
    let refusal =
        is_refused(&setup, &["module `misbehave`: `panik` is not possible here", "panic"]);
    says(&refusal, &[&place(&setup, "'panik'")]);
    marks(&refusal, "how = 'panik'", "'panik'");
}

#[test]
fn a_setting_of_a_listen_is_refused_at_its_place() {
    let setup = Setup::new().module_with("ftp", "root = 'srv'").file("srv/a", "");
    let setup = setup.listen_with("ftp", "anonymus = true");
    let refusal = is_refused(&setup, &["unknown setting `anonymus`", "did you mean `anonymous`?"]);
    says(&refusal, &[&place(&setup, "true")]);
    marks(&refusal, "anonymus = true", "true");
}

#[test]
fn every_problem_of_every_module_is_shown_at_once_and_in_order() {
    let setup = Setup::new()
        .module_with("hello", "farwell = 'x'")
        .module("no_such_module")
        .module_with("trace_a", "trace = 3")
        .module_with("misbehave", "event = 'init'\nhow = 'error'")
        .listen("echo");
    let refusal = setup.refused();
    assert_eq!(refusal.status, 4);
    let order =
        ["`farwell`", "`no_such_module`", "a path is needed", "told to fail", "4 problems in"];
    let at = order.map(|words| {
        refusal
            .stderr
            .find(words)
            .unwrap_or_else(|| panic!("{words:?} is missing in:\n{}", refusal.text))
    });
    assert!(at.is_sorted(), "{}", refusal.text);
}

#[test]
fn control_characters_of_a_module_do_not_reach_the_terminal() {
    let setup = Setup::new().module_with("misbehave", "how = \"\\u001b[2J\"").listen("echo");
    let refusal = is_refused(&setup, &["module `misbehave`"]);
    assert!(!refusal.text.contains('\u{1b}'), "{:?}", refusal.text);
}
