//! What modules register beside listeners: counters that all sessions share, timers, command hooks,
//! authenticators, control actions,
//! events of their own.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use crate::harness::*;

/// A client that was greeted.
#[track_caller]
fn greeted(daemon: &Daemon) -> Client {
    let mut client = daemon.connect();
    client.expect("hello");
    client
}

/// What `status --metrics` says.
#[track_caller]
fn metrics(daemon: &Daemon) -> String {
    let output = daemon.exeunt(&["status", "--metrics"]);
    assert_eq!(output.status, 0, "{}", output.text);
    output.stdout
}

#[test]
fn what_sessions_count_is_summed_and_outlives_them() {
    let daemon = Setup::new().listen("hooks").start();
    let (mut one, mut two) = (greeted(&daemon), greeted(&daemon));
    one.ask("COUNT a", "COUNT done");
    two.ask("COUNT a", "COUNT done");
    two.ask("COUNT b\"c", "COUNT done");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(daemon.session_pids()[0]), Signal::SIGKILL)
        .expect("killed");
    daemon.wait_exit();
    one.close();
    two.close();
    daemon.wait_exits(2);
    let text = metrics(&daemon);
    for line in [
        "# TYPE exeunt_hooks_words counter",
        "exeunt_hooks_words_total{word=\"a\"} 2",
        "exeunt_hooks_words_total{word=\"b\\\"c\"} 1",
        "exeunt_hooks_lines_total 3",
        "exeunt_sessions{generation=\"1\"} 0",
        "exeunt_sessions_admitted_total 2",
        "exeunt_sessions_ended_total{cause=\"signal\"} 1",
        "exeunt_sessions_ended_total{cause=\"client-eof\"} 1",
        "exeunt_journal_failures_total 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is missing in:\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn refusals_are_counted_by_their_reason() {
    let daemon = Setup::new().listen("hooks").limits("sessions = 1").start();
    let _in = greeted(&daemon);
    daemon.connect().close();
    daemon.wait_exit();
    let text = metrics(&daemon);
    assert!(
        text.contains("exeunt_sessions_refused_total{reason=\"limit-sessions\"} 1\n"),
        "{text}"
    );
}

#[test]
fn a_transfer_is_counted_for_all_sessions() {
    let setup = Setup::new().file("srv/a.txt", "0123456789").module_with("ftp", "root = 'srv'");
    let daemon = setup.listen_with("ftp", "anonymous = true").start();
    let mut client = daemon.connect();
    client.expect("220 ");
    client.ask("USER ftp", "331 ");
    client.ask("PASS x", "230 ");
    client.ask("TYPE I", "200 ");
    let port = client.ask("EPSV", "229 ");
    let port = port.split('|').nth(3).and_then(|port| port.parse().ok()).expect("a port");
    let data = std::net::TcpStream::connect(("127.0.0.1", port)).expect("a data connection");
    client.ask("RETR a.txt", "150 ");
    client.expect("226 ");
    drop(data);
    let text = metrics(&daemon);
    assert!(text.contains("exeunt_ftp_files_total{direction=\"out\"} 1\n"), "{text}");
    assert!(text.contains("exeunt_ftp_bytes_total{direction=\"out\"} 10\n"), "{text}");
}

#[test]
fn timers_ring_in_the_order_of_their_moments_while_the_protocol_waits() {
    let daemon = Setup::new().listen("hooks").start();
    let mut client = greeted(&daemon);
    for line in ["AFTER two 300", "AFTER one 100", "AFTER bye 400", "AFTER bye", "AFTER two 200"] {
        client.ask(line, "AFTER done");
    }
    client.expect("one rings");
    client.expect("two rings");
    client.ask("AFTER one 1", "AFTER done");
    client.expect("one rings");
    client.ask("AFTER bye 1", "AFTER done");
    client.eof();
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, exit.detail.as_deref()), ("module-request", Some("time is up")));
}

#[test]
fn a_timer_that_waits_too_long_is_killed_at_a_listeners_deadline() {
    let daemon = Setup::new().module("trace_a").listen("hooks").exit("listener = '200ms'").start();
    let mut client = greeted(&daemon);
    client.ask("AFTER nap 1", "AFTER done");
    client.eof();
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, exit.outcomes()), ("deadline", "done".to_owned()));
    let detail = exit.detail.unwrap_or_default();
    assert!(detail.ends_with("in timer hooks/nap"), "{detail}");
}

#[test]
fn a_command_goes_through_its_phases_and_log_hooks_always_run() {
    let daemon = Setup::new().listen("hooks").start();
    let mut client = greeted(&daemon);
    client.ask("COUNT a", "COUNT done");
    client.ask("DENY a", "no: 552 denied by hooks");
    client.ask("WHOAMI", "214 nobody");
    client.ask("NOWAY", "no: there is no way");
    client.send("QUIT");
    client.eof();
    daemon.wait_exit();
    let expected = [
        r#"post COUNT Some("a") Some(Done) Some("COUNT done")"#,
        r#"log COUNT Some("a") Some(Done) Some("COUNT done")"#,
        r#"log DENY Some("a") Some(Denied) Some("552 denied by hooks")"#,
        r#"post WHOAMI None Some(Done) Some("214 nobody")"#,
        r#"log WHOAMI None Some(Done) Some("214 nobody")"#,
        r#"post NOWAY None Some(Failed) Some("there is no way")"#,
        r#"log NOWAY None Some(Failed) Some("there is no way")"#,
        "log QUIT None Some(Ending) None",
    ];
    assert_eq!(daemon.trace(), expected);
    assert!(daemon.log().contains("command hook hooks/fail of COUNT failed: a hook that fails"));
}

#[test]
fn ftp_has_its_commands_hooked_and_secrets_are_not_shown() {
    let setup = Setup::new().file("srv/a.txt", "text").module_with("ftp", "root = 'srv'");
    let daemon = setup.module("hooks").listen_with("ftp", "anonymous = true").start();
    let mut client = daemon.connect();
    client.expect("220 ");
    client.ask("WHOAMI", "500 ");
    client.ask("USER ftp", "331 ");
    client.ask("PASS geheim", "230 ");
    client.ask("WHOAMI", "214 anonymous");
    client.ask("NOWAY", "550 there is no way");
    client.ask("DENY x", "552 denied by hooks");
    client.ask("SIZE b.txt", "550 ");
    client.ask("XYZZY", "500 ");
    client.ask("QUIT", "221 ");
    daemon.wait_exit();
    let trace = daemon.trace();
    assert!(trace.contains(&r#"log PASS None Some(Done) Some("230 Logged in.")"#.to_owned()));
    assert!(trace.iter().any(|l| l.starts_with(r#"post SIZE Some("b.txt") Some(Failed)"#)));
    assert!(!trace.iter().any(|line| line.contains("geheim")), "{trace:#?}");
    assert_eq!(trace.last().map(String::as_str), Some("log QUIT None Some(Ending) None"));
}

#[test]
fn a_user_of_the_file_logs_in_and_has_their_home_and_root() {
    let daemon = with_users("anna:GEHEIM:/anna\nbert:GEHEIM::/anna\ncarl:GEHEIM::/none\n").start();
    let mut anna = log_in(&daemon, "anna", "geheim", "230 ");
    anna.ask("PWD", "257 \"/anna\"");
    anna.ask("TYPE I", "200 ");
    anna.ask("SIZE /anna/a.txt", "213 4");
    let mut bert = log_in(&daemon, "bert", "geheim", "230 ");
    bert.ask("PWD", "257 \"/\"");
    bert.ask("TYPE I", "200 ");
    bert.ask("SIZE /../anna/a.txt", "550 ");
    bert.ask("SIZE /a.txt", "213 4");
    log_in(&daemon, "anna", "Geheim", "530 ");
    log_in(&daemon, "nobody", "geheim", "530 ");
    log_in(&daemon, "carl", "geheim", "530 ");
    assert!(daemon.log().contains("carl cannot log in: the root /none cannot be entered"));
    let who = daemon.json("who").to_string();
    assert!(who.contains("\"anna\"") && who.contains("\"bert\""), "{who}");
}

#[test]
fn a_password_that_was_changed_counts_at_the_next_login() {
    let daemon = with_users("anna:GEHEIM\n").start();
    log_in(&daemon, "anna", "geheim", "230 ");
    std::fs::write(daemon.path("users"), "anna:$6$none\n").expect("written");
    log_in(&daemon, "anna", "geheim", "530 ");
}

#[test]
fn a_file_of_users_with_a_mistake_refuses_the_start() {
    let refused = with_users("anna:geheim\n").check();
    assert_eq!(refused.status, 4);
    assert!(
        refused.text.contains("users: line 1 has no hash that is known here"),
        "{}",
        refused.text
    );
}

#[test]
fn the_first_authenticator_that_knows_the_user_decides_and_one_that_fails_refuses() {
    let setup = Setup::new().file("srv/a.txt", "").file("users", format!("guest:{GEHEIM}\n"));
    let setup = setup.module("hooks").module_with("passwd_file", "file = 'users'");
    let daemon = setup.module_with("ftp", "root = 'srv'").listen("ftp").start();
    log_in(&daemon, "guest", "welcome", "230 ");
    log_in(&daemon, "guest", "geheim", "530 ");
    log_in(&daemon, "broken", "geheim", "530 ");
    assert!(
        daemon.log().contains("authenticator hooks/guests of a login failed: the guests are lost")
    );
}

/// What `exeunt ctl hooks` says.
#[track_caller]
fn ctl(daemon: &Daemon, words: &[&str], status: i32) -> String {
    let output = daemon.exeunt(&[&["ctl"], words].concat());
    assert_eq!(output.status, status, "{}", output.text);
    output.text
}

#[test]
fn an_action_answers_with_what_it_was_given() {
    let daemon = Setup::new().listen("hooks").start();
    assert_eq!(ctl(&daemon, &["hooks", "echo", "a b", "", "ü"], 0), "[\"a b\",\"\",\"ü\"]\n");
    assert_eq!(ctl(&daemon, &["hooks", "echo"], 0), "[]\n");
    assert!(metrics(&daemon).contains("exeunt_hooks_called_total 2\n"));
}

#[test]
fn an_action_that_is_refused_or_fails_says_why() {
    let daemon = Setup::new().listen("hooks").start();
    let no = ctl(&daemon, &["hooks", "no"], 1);
    assert_eq!(no, "error: that cannot be done\n");
    assert!(ctl(&daemon, &["hooks", "panic"], 1).contains("no luck"));
    assert!(ctl(&daemon, &["hooks", "abort"], 1).contains("its process ended with SIGABRT"));
    let unknown = ctl(&daemon, &["hooks", "nothing"], 1);
    assert!(unknown.contains("it has `echo`, `whoami`, `no`"), "{unknown}");
    let unknown = ctl(&daemon, &["none", "echo"], 1);
    assert!(unknown.contains("no enabled module is called `none`"), "{unknown}");
    let long = "x".repeat(70_000);
    assert!(ctl(&daemon, &["hooks", "echo", &long], 1).contains("more than 65536 bytes"));
}

#[test]
fn an_action_that_hangs_is_killed_and_holds_nobody_up() {
    let daemon = Setup::new().listen("hooks").exit("listener = '300ms'").start();
    std::thread::scope(|scope| {
        let hang = scope.spawn(|| ctl(&daemon, &["hooks", "hang"], 1));
        greeted(&daemon).ask("COUNT a", "COUNT done");
        assert_eq!(ctl(&daemon, &["hooks", "echo", "1"], 0), "[\"1\"]\n");
        let text = hang.join().expect("it ends");
        assert!(text.contains("it was killed, perhaps at its deadline"), "{text}");
    });
}

#[test]
fn an_action_has_given_up_the_daemons_privileges() {
    if !needs_root() {
        return;
    }
    let daemon = Setup::new().listen("hooks").start();
    let status = ctl(&daemon, &["hooks", "whoami"], 0);
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap_or("?");
    assert_eq!(line("Uid:"), "Uid:\t65534\t65534\t65534\t65534");
    assert_eq!(line("CapEff:"), "CapEff:\t0000000000000000");
    assert_eq!(line("NoNewPrivs:"), "NoNewPrivs:\t1");
}

#[test]
fn an_event_of_a_module_arrives_with_its_payload_and_version() {
    let daemon = Setup::new().listen("hooks").start();
    greeted(&daemon).ask("SAY so be it", "SAY done");
    daemon.wait_exit();
    let expected = r#"event hooks.said Some(3) {"text": "so be it", "length": 8}"#;
    assert_eq!(daemon.trace().first().map(String::as_str), Some(expected));
}

#[test]
fn a_module_hears_of_the_files_that_another_one_stores() {
    let setup = with_users("anna:GEHEIM::/anna\n").module_with("hooks", "follow = 'ftp.stored'");
    let daemon = setup.start();
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(daemon.path("srv/anna"), open).expect("modes can be set");
    let mut anna = log_in(&daemon, "anna", "geheim", "230 ");
    anna.ask("TYPE I", "200 ");
    let port = anna.ask("EPSV", "229 ");
    let port = port.split('|').nth(3).and_then(|port| port.parse().ok()).expect("a port");
    let mut data = std::net::TcpStream::connect(("127.0.0.1", port)).expect("a data connection");
    anna.ask("STOR b.txt", "150 ");
    data.write_all(b"12345").expect("sent");
    drop(data);
    anna.expect("226 ");
    let expected = r#"event ftp.stored Some(1) {"path": "/anna/b.txt", "bytes": 5}"#;
    assert!(daemon.trace().iter().any(|line| line == expected), "{:#?}", daemon.trace());
}
