//! What a listener may wish: to be tried again, to run in a runner, to have root, to have a deadline of
//! its own. The order is what it is in any case. As everywhere, the oracle is what the listeners wrote.

use crate::harness::*;

/// `trace_a`, the listeners with wishes, `trace_c`.
fn between(keys: &str, config: &str) -> Setup {
    let setup = Setup::new().module("trace_a").module_keyed("wishes", keys, config);
    setup.module("trace_c").listen("echo").exit("listener = '2s'")
}

const ROOT: &str = "grant = ['root']";

/// A client says hello and goodbye.
#[track_caller]
fn quit(daemon: &Daemon) -> Exit {
    let mut client = greeted(daemon);
    client.ask("quit", "goodbye: ");
    client.eof();
    daemon.wait_exit()
}

/// The word of that name in each line of the module, in their order: `euid`, `attempt`.
fn words(daemon: &Daemon, name: &str) -> String {
    let trace = daemon.trace();
    let lines = trace.iter().filter(|line| line.starts_with("wishes/"));
    let word = |line: &String| {
        let mut words = line.split(' ').filter_map(|word| word.split_once('='));
        words.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    };
    lines.filter_map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn one_that_wishes_nothing_runs_once_in_the_session() {
    let daemon = between("", "places = ['session']").start();
    let exit = quit(&daemon);
    assert_eq!(
        (exit.by(), exit.outcomes()),
        ("session session session".into(), "done done done".into())
    );
    assert_eq!(words(&daemon, "attempt"), "1");
}

#[test]
fn runners_have_their_turns_between_those_of_the_session() {
    let daemon =
        between("", "places = ['session', 'runner', 'session', 'runner', 'runner']").start();
    let exit = quit(&daemon);
    assert_eq!(exit.by(), "session session runner session runner runner session");
    assert_eq!(exit.outcomes(), "done done done done done done done");
    let order = "trace_a/trace wishes/0-session wishes/1-runner wishes/2-session wishes/3-runner \
                 wishes/4-runner trace_c/trace";
    assert_eq!(daemon.entered(&exit.session), order);
    assert!(exit.sealed && exit.cause == "client-quit");
}

#[test]
fn root_is_had_in_its_place_and_nowhere_else() {
    if !is_root() {
        return;
    }
    let daemon = between(ROOT, "places = ['runner', 'root', 'session', 'root']").start();
    let exit = quit(&daemon);
    assert_eq!(exit.by(), "session runner root-runner session root-runner session");
    assert_eq!(words(&daemon, "euid"), "65534 0 65534 0");
}

#[test]
fn after_a_crash_root_is_had_in_its_place_as_well() {
    if !is_root() {
        return;
    }
    let daemon = between(ROOT, "places = ['runner', 'root', 'session', 'root']").start();
    let _client = greeted(&daemon);
    kill(daemon.session_pid(), Signal::SIGKILL);
    let exit = daemon.wait_exit();
    assert_eq!(exit.by(), "runner runner root-runner runner root-runner runner");
    assert_eq!(words(&daemon, "euid"), "65534 0 65534 0");
    assert_eq!(exit.cause, "signal");
}

#[test]
fn without_root_there_is_none_to_have() {
    let daemon = between(ROOT, "places = ['root']").as_nobody().start();
    assert_eq!(quit(&daemon).by(), "session runner session");
    assert_eq!(words(&daemon, "euid"), "65534");
}

#[test]
fn root_that_is_not_granted_is_a_mistake() {
    let output = between("", "places = ['root']").refused();
    assert_eq!(output.status, 4);
    let why = "the listener `0-root` for `core.exit` was refused: it asks for root, which its \
               [[module]] table does not grant; if it may have it, write `grant = [\"root\"]` there";
    assert!(output.text.contains(why) && output.text.contains("wishes"), "{}", output.text);
}

#[test]
fn there_is_nothing_else_to_grant() {
    let output = between("grant = ['capabilities']", "places = []").check();
    assert_eq!(output.status, 4);
    assert!(
        output.text.contains("holds `capabilities`, which cannot be granted"),
        "{}",
        output.text
    );
}

#[test]
fn an_attempt_that_fails_is_followed_by_another() {
    let daemon = between("", "places = ['session']\nattempts = 3\nfails = 2").start();
    let exit = quit(&daemon);
    assert_eq!(exit.outcomes(), "done failed failed done done");
    let attempts: Vec<u64> = exit.listeners.iter().map(|told| told.attempt).collect();
    assert_eq!(attempts, [1, 1, 2, 3, 1]);
    assert_eq!(words(&daemon, "attempt"), "1 2 3");
}

#[test]
fn no_more_attempts_are_made_than_needed_or_allowed() {
    let daemon = between("", "places = ['session']\nattempts = 4\nfails = 1").start();
    assert_eq!(quit(&daemon).outcomes(), "done failed done done");
    let daemon = between("", "places = ['session']\nattempts = 2\nfails = 9").start();
    assert_eq!(quit(&daemon).outcomes(), "done failed failed done");
}

#[test]
fn one_that_crashes_is_tried_again_in_a_runner() {
    let config = "places = ['session']\nattempts = 3\nfails = 2\nhow = 'abort'";
    let exit = quit(&between("", config).start());
    assert_eq!(exit.outcomes(), "done failed failed done done");
    assert_eq!(exit.by(), "session session runner runner runner");
}

#[test]
fn one_in_a_runner_that_crashes_is_tried_again_and_the_session_waits() {
    let config = "places = ['runner', 'session']\nattempts = 3\nfails = 2\nhow = 'abort'";
    let daemon = between("", config).start();
    let mut client = greeted(&daemon);
    client.ask("quit", "goodbye: ");
    let exit = daemon.wait_exit();
    assert_eq!(exit.outcomes(), "done failed failed done failed failed done done");
    assert_eq!(exit.by(), "session runner runner runner session runner runner runner");
}

#[test]
fn a_deadline_of_its_own_ends_it_and_what_the_operator_says_is_stronger() {
    let config = "places = ['session']\nfails = 1\nhow = 'hang'\ndeadline = '150ms'";
    let exit = quit(&between("", config).start());
    assert_eq!(exit.outcomes(), "done timed-out done");
    assert!((150.0..1500.0).contains(&exit.listeners[1].ms), "{exit:?}");
    let exit = quit(&between("listener = '700ms'", config).start());
    assert!((700.0..2000.0).contains(&exit.listeners[1].ms), "{exit:?}");
}

#[test]
fn one_in_a_runner_that_hangs_is_ended_and_the_session_goes_on() {
    let config = "places = ['runner']\nfails = 1\nhow = 'hang'\ndeadline = '150ms'";
    let exit = quit(&between("", config).start());
    assert_eq!(
        (exit.outcomes(), exit.by()),
        ("done timed-out done".into(), "session runner session".into())
    );
}

#[test]
fn all_attempts_at_one_end_have_the_same_token_and_no_other_end_has() {
    let daemon = between("", "places = ['runner']\nattempts = 2\nfails = 1").start();
    greeted(&daemon).close();
    greeted(&daemon).close();
    let [one, other] = [0, 1].map(|place: usize| daemon.wait_exits(2)[place].session.clone());
    let mut tokens: Vec<_> = words(&daemon, "token").split(' ').map(str::to_owned).collect();
    tokens.sort();
    let mut expected = [&one, &one, &other, &other].map(|id| format!("{id}/wishes/0-runner"));
    expected.sort();
    assert_eq!(tokens, expected);
}

#[test]
fn a_session_that_dies_while_it_waits_for_a_runner_loses_nothing() {
    let config = "places = ['runner', 'session']\nfails = 1\nhow = 'hang'\ndeadline = '1s'";
    let daemon = between("", config).start();
    let mut client = greeted(&daemon);
    let session = daemon.session_pid();
    client.ask("quit", "goodbye: ");
    wait_until(|| daemon.trace().iter().any(|line| line.starts_with("wishes/0-runner")));
    kill(session, Signal::SIGKILL);
    let exit = daemon.wait_exit();
    assert_eq!(exit.outcomes(), "done timed-out timed-out done");
    assert_eq!(exit.by(), "session runner runner runner");
    assert_eq!(exit.cause, "client-quit");
}

#[test]
fn a_zygote_that_dies_while_a_runner_has_its_turn_loses_nothing() {
    let config = "places = ['runner', 'session']\nfails = 1\nhow = 'hang'\ndeadline = '1s'";
    let daemon = between("", config).start();
    let mut client = greeted(&daemon);
    client.ask("quit", "goodbye: ");
    wait_until(|| daemon.trace().iter().any(|line| line.starts_with("wishes/0-runner")));
    kill(daemon.zygote(), Signal::SIGKILL);
    let exit = daemon.wait_exit();
    assert_eq!(exit.outcomes(), "done timed-out timed-out done");
    let entered = "trace_a/trace wishes/0-runner wishes/1-session trace_c/trace";
    assert_eq!(daemon.entered(&exit.session), entered);
}

#[test]
fn a_session_that_dies_with_its_runner_and_then_the_zygote_is_finished_once() {
    let config = "places = ['runner']\nfails = 1\nhow = 'hang'\ndeadline = '30s'";
    let daemon = between("", config).start();
    let mut client = greeted(&daemon);
    let (session, zygote) = (daemon.session_pid(), daemon.zygote());
    client.ask("quit", "goodbye: ");
    wait_until(|| daemon.trace().iter().any(|line| line.starts_with("wishes/0-runner")));
    let line = daemon.trace().into_iter().find(|line| line.starts_with("wishes/0-runner"));
    let runner = line.and_then(|line| line.split(' ').nth(2)?.parse().ok()).expect("a runner");
    kill(zygote, Signal::SIGSTOP);
    for pid in [session, runner, zygote] {
        kill(pid, Signal::SIGKILL);
    }
    let exit = daemon.wait_exit();
    assert_eq!(exit.outcomes(), "done interrupted done");
    let entered = "trace_a/trace wishes/0-runner trace_c/trace";
    assert_eq!((&*exit.cause, daemon.entered(&exit.session)), ("client-quit", entered.to_owned()));
}

#[test]
fn the_end_of_the_daemon_can_be_tried_again() {
    let config = "shutdown = true\nplaces = ['session']\nattempts = 3\nfails = 2\nhow = 'abort'";
    let mut daemon = between("", config).start();
    assert_eq!(daemon.stop(), 0);
    assert_eq!(words(&daemon, "attempt"), "1 2 3");
    let entered = "trace_a/trace wishes/0-session wishes/0-session wishes/0-session trace_c/trace";
    assert_eq!(daemon.entered("daemon"), entered);
}

#[test]
fn a_place_cannot_be_wished_where_there_is_only_one() {
    let output = between("", "shutdown = true\nplaces = ['runner']").check();
    let why = "the daemon's own events run in a runner of the daemon's rights anyway";
    assert!(output.status == 4 && output.text.contains(why), "{}", output.text);
}

#[test]
fn there_are_one_to_eight_attempts() {
    for attempts in [0, 9] {
        let output = between("", &format!("places = ['session']\nattempts = {attempts}")).check();
        let why = format!("a listener has 1 to 8 attempts, not {attempts}");
        assert!(output.status == 4 && output.text.contains(&why), "{}", output.text);
    }
}

#[test]
fn what_was_wished_is_shown_with_the_order() {
    let daemon =
        between(ROOT, "places = ['runner', 'root']\nattempts = 3\ndeadline = '7s'").start();
    let text = daemon.exeunt(&["listeners"]).stdout;
    let shown = "  1  trace_a/trace\n  2  wishes/0-runner  (runner, 3 attempts)\n  \
                 3  wishes/1-root  (root-runner, 3 attempts)\n  4  trace_c/trace\n";
    assert!(text.contains(shown), "{text}");
    let told = &daemon.json("listeners")["events"][0]["listeners"][1];
    assert_eq!((&told["attempts"], &told["deadline_ms"]), (&3.into(), &7000.into()));
}
