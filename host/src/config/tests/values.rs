//! Files without mistakes: the sample, the defaults, and every value that may be written.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::{LISTEN, SAMPLE, config, environment, parse, parse_text, source};
use crate::config::bounds::Timeouts;
use crate::config::{Exit, Format, Kind, Level, Limits, LogTo};

#[test]
fn the_sample_is_right_as_root_and_as_anybody() {
    for root in [true, false] {
        let home = |name: &str| (name == "HOME").then(|| OsString::from("/home/x"));
        let config = parse(&source(SAMPLE), &environment(root, &home)).expect("the sample");
        let modules: Vec<_> = config.modules.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(modules, ["ftp", "echo", "hello", "exit_report"]);
        let listens: Vec<_> = config.listens.iter().map(|l| l.address.to_string()).collect();
        assert_eq!(listens, ["127.0.0.1:2121", "127.0.0.1:2007"]);
    }
}

#[test]
fn the_sample_shows_the_defaults() {
    let sample = parse_text(SAMPLE).expect("the sample");
    let bare = config("");
    assert_eq!(sample.host.spares, bare.host.spares);
    assert_eq!(sample.host.capacity, bare.host.capacity);
    assert_eq!(sample.host.user, bare.host.user);
    assert_eq!(sample.control.group, bare.control.group);
    assert_eq!(sample.log, bare.log);
    assert_eq!(sample.limits, bare.limits);
    assert_eq!(sample.timeouts, bare.timeouts);
    assert_eq!(sample.exit, bare.exit);
}

#[test]
fn the_settings_of_a_listen_lie_over_those_of_the_module() {
    let sample = parse_text(SAMPLE).expect("the sample");
    let over = sample.listens[0].config.as_ref().expect("settings");
    let merged = sample.modules[0].config.overlay(over);
    assert_eq!(merged.get("anonymous").map(|node| &node.kind), Some(&Kind::Bool(true)));
    assert_eq!(merged.get("root").map(|node| &node.kind), Some(&Kind::Str("tests/srv".into())));
}

#[test]
fn folders_depend_on_who_starts_the_daemon() {
    let folders = |root, variable: &dyn Fn(&str) -> Option<OsString>| {
        let host = parse(&source(LISTEN), &environment(root, variable)).expect("right").host;
        format!("{} {}", host.runtime_dir.display(), host.state_dir.display())
    };
    let xdg = |name: &str| Some(format!("/{name}").into());
    let home = |name: &str| (name == "HOME").then(|| "/h".into());
    assert_eq!(folders(true, &xdg), "/run/exeunt /var/lib/exeunt");
    assert_eq!(folders(false, &xdg), "/XDG_RUNTIME_DIR/exeunt /XDG_STATE_HOME/exeunt");
    assert_eq!(folders(false, &home), "/tmp/exeunt-1000 /h/.local/state/exeunt");
}

#[test]
fn without_any_home_the_state_needs_a_place() {
    let text = format!("[host]\n{LISTEN}");
    let problems = parse(&source(&text), &environment(false, &|_| None)).expect_err("no home");
    let problem = problems.iter().next().expect("a problem");
    assert_eq!(problem.message, "there is no place for the daemon's state");
    let text = format!("[host]\nstate_dir = '/s'\n{LISTEN}");
    assert!(parse(&source(&text), &environment(false, &|_| None)).is_ok());
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let config = config(
        "[host]\nmodule_dirs = ['m', '/abs']\npid_file = '../p'\n[log]\nto = './l'\n\
         [[module]]\nname = 'a'\nfile = 'liba.so'\n",
    );
    assert_eq!(config.file.as_os_str(), "/srv/conf/modules.toml");
    assert_eq!(config.host.module_dirs, ["/srv/conf/m", "/abs"].map(PathBuf::from));
    assert_eq!(config.host.pid_file, Some("/srv/conf/../p".into()));
    assert_eq!(config.log.to, LogTo::File("/srv/conf/l".into()));
    assert_eq!(config.modules[0].file, Some("/srv/conf/liba.so".into()));
}

#[test]
fn every_written_value_is_taken() {
    let config = config(
        "[host]\nrequire_pins = true\nuser = 'ftp'\njournal_max = '1MiB'\nspares = 0\ncapacity = 65536\n\
         [control]\ngroup = 'g'\n[log]\nlevel = 'debug'\nformat = 'json'\n\
         [limits]\nsessions = 'off'\nsessions_per_address = 2\nlogin_attempts = 1\n\
         connections_per_minute = 3\nlogins = 4\nlogins_per_address = 5\nlogins_per_user = 6\n\
         [timeouts]\nlogin = 'off'\nidle = '90s'\nno_transfer = '7s'\nstalled = 'off'\nsession = '1h30m'\n\
         [exit]\nlistener = '1s'\nchain = '2s'\nlinger = '3s'\ngrace = '4s'\nkill_after = '5ms'\n\
         [[module]]\nname = 'a'\nenabled = false\nlistener = '2s'\nconfig.k = 1\n\
         sha256 = 'ABCDEF0000000000000000000000000000000000000000000000000000000000'\n",
    );
    let seconds = Duration::from_secs;
    assert_eq!((config.host.user.as_str(), config.host.journal_max), ("ftp", 1 << 20));
    assert_eq!((config.host.spares, config.host.capacity), (0, 65_536));
    assert_eq!(config.control.group.as_deref(), Some("g"));
    assert_eq!((config.log.level, config.log.format), (Level::Debug, Format::Json));
    let limits = Limits {
        sessions: None,
        sessions_per_address: Some(2),
        connections_per_minute: Some(3),
        logins: Some(4),
        logins_per_address: Some(5),
        logins_per_user: Some(6),
        login_attempts: Some(1),
    };
    assert_eq!(config.limits, limits);
    let [idle, no_transfer, session] = [90, 7, 5400].map(|length| Some(seconds(length)));
    let timeouts = Timeouts { login: None, idle, no_transfer, stalled: None, session };
    assert_eq!(config.timeouts, timeouts);
    let [listener, chain, linger, grace] = [1, 2, 3, 4].map(seconds);
    let kill_after = Duration::from_millis(5);
    assert_eq!(config.exit, Exit { listener, chain, linger, grace, kill_after });
    let module = &config.modules[0];
    let pin = module.sha256.as_deref().map(|pin| &pin[..8]);
    assert_eq!((config.host.require_pins, pin), (true, Some("abcdef00")));
    assert_eq!((module.enabled, module.listener), (false, Some(seconds(2))));
    assert_eq!(module.config.get("k").map(|node| &node.kind), Some(&Kind::Int(1)));
}
