//! Every refusal with its text.

use super::{LISTEN, config, parse_text};
use crate::config::shape;

/// The problems of `text`, one a line: place, message, hint.
fn problems(text: &str) -> String {
    let problems = parse_text(text).expect_err("problems");
    let mut shown = String::new();
    for problem in problems.iter() {
        let start = problem.span.as_ref().map_or(0, |span| span.start);
        let line = text[..start].matches('\n').count() + 1;
        let hint = problem.hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
        shown.push_str(&format!("{line}: {}{hint}\n", problem.message));
    }
    shown
}

/// Asserts the only problem of `text`, to which a listen is added.
#[track_caller]
fn refused(text: &str, expected: &str) {
    assert_eq!(problems(&format!("{text}{LISTEN}")), format!("{expected}\n"));
}

#[test]
fn every_key_is_looked_at() {
    for table in shape::TABLES {
        for key in table.keys {
            let text = format!("{}\n{key} = nan\n", table.title);
            assert!(problems(&text).contains(&format!("2: `{key}` must be ")), "{text}");
        }
    }
    for key in shape::ROOT.keys {
        assert!(problems(&format!("{key} = nan\n")).contains(&format!("1: `{key}` must be ")));
    }
}

#[test]
fn an_unknown_key_gets_the_nearest_the_right_table_or_the_list() {
    refused(
        "[host]\ncapacty = 1\n",
        "2: unknown key `capacty` in [host]; did you mean `capacity`?",
    );
    refused("[log]\nuser = 'x'\n", "2: unknown key `user` in [log]; `user` belongs in [host]");
    refused(
        "[limits]\nsession = 1\n",
        "2: unknown key `session` in [limits]; did you mean `sessions`? (`session` belongs in \
         [timeouts])",
    );
    refused(
        "[control]\nzzz = 1\n",
        "2: unknown key `zzz` in [control]; the keys of [control] are `group`",
    );
    refused("modules = 1\n", "1: unknown key `modules` in modules.toml; did you mean `module`?");
}

#[test]
fn a_key_of_a_later_version_is_refused_as_such() {
    refused("include = 'x'\n", "1: `include` is not supported by this version; remove it");
}

#[test]
fn a_pin_is_a_whole_sha256() {
    refused(
        "[[module]]\nname = 'm'\nsha256 = 'abc'\n",
        "3: `sha256` must be the 64 hexadecimal digits of a SHA-256, not 3; `exeunt module pin` \
         writes it",
    );
    refused(
        "[host]\nrequire_pins = 1\n",
        "2: `require_pins` must be true or false, not a whole number",
    );
}

#[test]
fn values_of_host_control_and_log_are_refused_with_advice() {
    refused("[host]\nspares = 65\n", "2: `spares` must be a whole number from 0 to 64, not 65");
    refused(
        "[host]\ncapacity = '9'\n",
        "2: `capacity` must be a whole number from 1 to 65536, not a string; write 9",
    );
    refused(
        "[host]\njournal_max = 1\n",
        "2: `journal_max` must be at least 64000 bytes, not 1; write a size such as \"64MB\"",
    );
    refused("[host]\nstate_dir = ''\n", "2: `state_dir` must not be empty");
    refused(
        "[host]\nstate_dir = '~/x'\n",
        "2: `state_dir` must be a path from `/` or from the \
        folder of this file; `~` is not expanded; write the path of the home folder out",
    );
    refused(
        "[host]\nmodule_dirs = ['a',\n3]\n",
        "3: `module_dirs` has an entry that must be a string, not a whole number",
    );
    refused(
        "[control]\ngroup = 'a b'\n",
        "2: `group` must be a name without spaces, colons and control characters",
    );
    refused(
        "[log]\nlevel = 'wran'\n",
        "2: `level` must be `error`, `warn`, `info` or `debug`, not \"wran\"; did you mean \"warn\"?",
    );
    refused(
        "[log]\nto = 'journal'\n",
        "2: `to` cannot be \"journal\" in this version; write \
        \"stderr\" or a path; a file of that name is \"./journal\"",
    );
}

#[test]
fn limits_and_times_are_refused_with_advice() {
    refused(
        "[limits]\nsessions = 0\n",
        "2: `sessions` must be at least 1, not 0; write \"off\" \
        for no limit; to serve nobody, remove the [[listen]]",
    );
    refused(
        "[limits]\nlogin_attempts = 'none'\n",
        "2: `login_attempts` must be a number or \"off\", not \"none\"; write \"off\" for no limit",
    );
    refused(
        "[timeouts]\nidle = 90\n",
        "2: `idle` must be a length of time with a unit, not a \
        bare number; write \"90s\" for seconds; the units are h, m, s and ms",
    );
    refused(
        "[timeouts]\nidle = '0s'\n",
        "2: `idle` must be longer than nothing; write \"off\" for no timeout",
    );
    refused("[exit]\nlinger = '0s'\n", "2: `linger` must be longer than nothing");
    refused(
        "[exit]\ngrace = 'off'\n",
        "2: `grace` must not be \"off\"; write a length of time such as \"30s\"",
    );
    refused(
        "[exit]\nkill_after = '2h'\n",
        "2: `kill_after` must not be longer than \"1h\", but is \"2h\"",
    );
}

#[test]
fn what_a_listen_or_a_module_needs_must_be_there() {
    let expected = "1: `name` is missing in [[listen]]; add `name = \"public\"`\n\
        1: `address` is missing in [[listen]]; add `address = \"127.0.0.1:2121\"`\n\
        1: `protocol` is missing in [[listen]]; add `protocol = \"ftp\"`\n";
    assert_eq!(problems("[[listen]]\n"), expected);
    refused("[[module]]\n", "1: `name` is missing in [[module]]; add `name = \"hello\"`");
    refused(
        "[[module]]\nname = 'my-m'\n",
        "2: `name` must be 1 to 32 of a to z, 0 to 9 or `_`, \
        not \"my-m\"; write \"my_m\"",
    );
}

#[test]
fn without_a_listen_there_is_nothing_to_do() {
    let expected = "1: there is nothing to listen on; add a [[listen]] with `name`, `address` and \
        `protocol`\n";
    for text in ["", "listen = []\n"] {
        assert_eq!(problems(text), expected);
    }
}

#[test]
fn one_bracket_too_few_or_too_many_is_explained() {
    refused(
        "[module]\nname = 'm'\n",
        "1: `module` must be a list of tables, not one table; write \
        `[[module]]`, with two brackets on each side",
    );
    refused(
        "[[host]]\n",
        "1: `host` must be a table, not a list; write `[host]` and its keys \
        below it",
    );
}

#[test]
fn names_and_addresses_are_unique() {
    refused(
        "[[module]]\nname = 'm'\n[[module]]\nname = 'm'\n",
        "4: two entries of [[module]] are named `m`; remove one of the two",
    );
    let same = "3: `m` and `l` have the same address; give one of them another address";
    let other = LISTEN.replace("'l'", "'m'");
    assert_eq!(problems(&format!("{other}{LISTEN}")), format!("{}\n", same.replace('3', "7")));
    let all = other.replace("127.0.0.1", "0.0.0.0");
    assert!(problems(&format!("{all}{LISTEN}")).contains("the addresses of `m` and `l` overlap"));
    assert!(problems(&format!("{LISTEN}{LISTEN}")).contains("two entries of [[listen]] are named"));
    let free = |text: &str| text.replace(":2121", ":0");
    assert!(parse_text(&format!("{}{}", free(&other), free(LISTEN))).is_ok());
}

#[test]
fn a_chain_has_time_for_its_slowest_listener() {
    refused(
        "[exit]\nchain = '4s'\n",
        "2: a listener may take 5s, but its chain only 4s; raise \
        `chain` in [exit] to at least \"5s\"",
    );
    refused(
        "[[module]]\nname = 'm'\nlistener = '1m'\n",
        "3: a listener of `m` may take 1m, but \
        its chain only 30s; raise `chain` in [exit] to at least \"1m\"",
    );
}

#[test]
fn a_limit_above_the_capacity_is_refused_where_it_was_written() {
    refused(
        "[host]\ncapacity = 9\n[limits]\nsessions = 10\n",
        "4: `sessions` is 10, but there is \
        room for 9 only; lower it, or raise `capacity` in [host] to 10 or more",
    );
    assert_eq!(config("[host]\ncapacity = 9\n").host.capacity, 9);
}

#[test]
fn mistakes_of_syntax_are_shown_together_with_wrong_values() {
    let text = "[host]\nspares = 99\nuser = nobody\n[log]\nto =\n[log]\n[limits\nsessions = 1\n";
    let expected = "2: `spares` must be a whole number from 0 to 64, not 99\n\
        3: a string must stand in quotes; write \"nobody\"\n\
        5: a value is missing after `=`\n\
        6: `log` is written twice; keep one; the keys of a table stand together, under one header\n\
        7: the header is not closed; end it with `]`\n";
    assert_eq!(problems(text), expected);
}

#[test]
fn what_an_unclosed_bracket_swallows_is_not_complained_about() {
    let text = "[host]\nspares = 99\nmodule_dirs = ['a',\ncapacity = 0\n[log]\nlevel = 3\n";
    let expected = "2: `spares` must be a whole number from 0 to 64, not 99\n\
        3: `[` is never closed; close it with `]`\n";
    assert_eq!(problems(text), expected);
}

#[test]
fn the_bracket_is_blamed_for_what_it_swallows_in_its_own_line() {
    assert_eq!(problems("a = [= 1"), "1: `[` is never closed; close it with `]`\n");
}

#[test]
fn a_number_that_does_not_fit_is_refused() {
    refused("[host]\nspares = 99999999999999999999\n", "2: the number is out of range");
    refused("[[module]]\nname = 'm'\nconfig.x = 1e999\n", "3: the number is out of range");
}
