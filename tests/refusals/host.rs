//! What the host cannot use, though every module is right: users, groups, folders, addresses.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use super::{is_refused, left_nothing_behind, says, with_tables};
use crate::harness::*;

#[test]
fn a_protocol_that_no_module_offers_is_refused() {
    let setup = Setup::new().module("echo");
    let listen = "[[listen]]\nname = 'a'\naddress = '127.0.0.1:0'\nprotocol = 'gopher'";
    let setup = with_tables(setup, listen);
    let unknown = "no enabled module offers the protocol `gopher`";
    is_refused(&setup, &[unknown, "the enabled modules offer: echo"]);
}

#[test]
fn a_user_that_there_is_not_is_refused() {
    if !needs_root() {
        return;
    }
    let setup = Setup::new().host("user = 'no-such-user'").listen("echo");
    is_refused(
        &setup,
        &["sessions cannot become `no-such-user`: there is no such user", "useradd"],
    );
}

#[test]
fn the_superuser_is_refused() {
    if !needs_root() {
        return;
    }
    let setup = Setup::new().host("user = 'root'").listen("echo");
    is_refused(&setup, &["sessions cannot become `root`: it is the superuser", "user = 'root'"]);
}

#[test]
fn a_control_group_that_there_is_not_is_refused() {
    let setup = with_tables(Setup::new().listen("echo"), "[control]\ngroup = 'no-such-group'");
    is_refused(&setup, &["the group `no-such-group` cannot be used: there is no such group"]);
}

#[test]
fn problems_of_the_host_and_of_modules_are_shown_at_once() {
    let setup = Setup::new().module("no_such_module").listen("echo");
    let setup = with_tables(setup, "[control]\ngroup = 'no-such-group'");
    is_refused(&setup, &["no-such-group", "no_such_module", "2 problems in"]);
}

#[test]
fn a_runtime_directory_that_others_may_write_is_refused() {
    let setup = Setup::new().listen("echo").file("run/lock", "");
    let open = Permissions::from_mode(0o777);
    fs::set_permissions(setup.path("run"), open).expect("modes can be set");
    let unsafe_place = format!("will not use {}", setup.path("run").display());
    let start = setup.refused();
    assert!([1, 4].contains(&start.status), "{}", start.status);
    says(&start, &[&unsafe_place, "others than the daemon's user can write there"]);
    left_nothing_behind(&setup);
    let check = setup.check();
    assert_eq!(check.status, start.status, "a check finds what a start would: {}", check.text);
    says(&check, &[&unsafe_place]);
}

#[test]
fn an_address_in_use_is_refused_at_its_place() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let listen = format!("[[listen]]\nname = 'a'\naddress = '{address}'\nprotocol = 'echo'");
    let setup = with_tables(Setup::new().module("echo"), &listen);
    let start = setup.refused();
    assert!([1, 4].contains(&start.status), "{}", start.status);
    let line = format!("cannot listen on {address}: Address already in use");
    says(&start, &[&line, "modules.toml:", "another program listens there"]);
    left_nothing_behind(&setup);
}

#[test]
fn a_second_daemon_is_refused_and_the_first_one_serves_on() {
    let daemon = Setup::new().listen("echo").start();
    let second = daemon.exeunt(&["run"]);
    assert_eq!(second.status, 1, "{}", second.text);
    assert!(second.stderr.contains("a daemon is running already"), "{}", second.text);
    daemon.connect().expect("hello");
    assert_eq!(daemon.exeunt(&["status"]).status, 0);
    let pid = fs::read_to_string(daemon.path("run/exeunt.pid")).expect("a pid file");
    assert_eq!(pid.trim(), daemon.pid().to_string());
}

#[test]
fn a_refused_check_does_not_touch_the_daemon_that_runs() {
    let daemon = Setup::new().module("trace_a").listen("echo").start();
    let mut client = daemon.connect();
    client.expect("hello");
    let file = daemon.path("modules.toml");
    let right = fs::read_to_string(&file).expect("it is there");
    let crash = "[[module]]\nname = 'misbehave'\nconfig = { event = 'init', how = 'null-write' }";
    fs::write(&file, format!("{right}\n{crash}\n")).expect("it can be written");
    let check = daemon.exeunt(&["check"]);
    assert_eq!(check.status, 4, "{}", check.text);
    client.ask("still there", "still there");
    assert_eq!(daemon.exeunt(&["status"]).status, 0);
    assert_eq!(daemon.trace(), Vec::<String>::new());
}
