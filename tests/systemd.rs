//! The daemon under systemd: what it says to the service manager, and the sockets that it is passed.
//! A datagram socket stands for the manager.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::*;

/// What a service manager hears.
struct Manager(UnixDatagram);

impl Manager {
    /// A daemon that is started by it.
    fn starting(setup: Setup) -> (Self, Setup) {
        let path = setup.path("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        let path = path.to_str().expect("a path in UTF-8").to_owned();
        (Self(socket), setup.env("NOTIFY_SOCKET", &path))
    }

    /// The next message but those that only say how the daemon is.
    #[track_caller]
    fn hears(&self) -> String {
        loop {
            let message = self.hears_anything();
            if !message.starts_with("STATUS=") {
                return message;
            }
        }
    }

    /// The next message, its lines joined by blanks.
    #[track_caller]
    fn hears_anything(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.0.recv(&mut bytes).expect("a message");
        let text = std::str::from_utf8(&bytes[..length]).expect("UTF-8");
        text.lines().collect::<Vec<_>>().join(" ")
    }
}

fn echo() -> Setup {
    Setup::new().module("trace_a").listen("echo")
}

fn socket() -> (SocketAddr, TcpListener) {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a socket");
    (socket.local_addr().expect("an address"), socket)
}

#[track_caller]
fn greeted(address: SocketAddr) -> Client {
    let mut client = Client::to(address);
    client.expect("hello");
    client
}

#[track_caller]
fn rewrite(daemon: &Daemon, from: &str, to: &str) {
    let path = daemon.path("modules.toml");
    let text = fs::read_to_string(&path).expect("a configuration");
    assert!(text.contains(from), "{from} is not in\n{text}");
    fs::write(path, text.replace(from, to)).expect("written");
}

#[test]
fn the_manager_hears_that_the_daemon_serves_and_that_it_ends() {
    let (manager, setup) = Manager::starting(echo());
    let mut daemon = setup.start();
    assert_eq!(manager.hears(), "READY=1 STATUS=generation 1 serves, 0 sessions");
    assert_eq!(daemon.stop(), 0);
    assert_eq!(manager.hears(), "STOPPING=1 STATUS=the daemon ends, 0 sessions");
}

#[test]
fn the_manager_hears_how_many_sessions_there_are() {
    let (manager, setup) = Manager::starting(echo());
    let daemon = setup.start();
    let mut client = daemon.connect();
    client.expect("hello");
    let expected = "STATUS=generation 1 serves, 1 session";
    wait_until(|| manager.hears_anything().ends_with(expected));
}

#[test]
fn a_reload_is_announced_with_its_moment_and_ends_ready() {
    let (manager, setup) = Manager::starting(echo());
    let daemon = setup.start();
    manager.hears();
    daemon.signal(Signal::SIGHUP);
    let begun = manager.hears();
    let moment = begun.strip_prefix("RELOADING=1 MONOTONIC_USEC=").expect(&begun);
    let moment = moment.split(' ').next().expect("a number");
    let uptime = fs::read_to_string("/proc/uptime").expect("proc is mounted");
    let now: f64 = uptime.split(' ').next().expect("a number").parse().expect("seconds");
    let age = now - moment.parse::<f64>().expect("microseconds") / 1e6;
    assert!((-1.0..60.0).contains(&age), "{age} s ago");
    assert_eq!(manager.hears(), "READY=1 STATUS=generation 2 serves, 0 sessions");
}

#[test]
fn the_manager_hears_why_a_reload_was_refused_until_one_succeeds() {
    let (manager, setup) = Manager::starting(echo());
    let daemon = setup.start();
    manager.hears();
    let still = "READY=1 STATUS=generation 1 serves, 0 sessions; the last reload was refused: ";
    rewrite(&daemon, "[limits]", "[limits]\nsesions = 1");
    daemon.signal(Signal::SIGHUP);
    assert!(manager.hears().starts_with("RELOADING=1 "));
    assert_eq!(manager.hears(), format!("{still}unknown key `sesions` in [limits]"));
    rewrite(&daemon, "sesions", "sessions");
    let whole = fs::read(daemon.path("modules.toml")).expect("a configuration");
    fs::remove_file(daemon.path("modules.toml")).expect("removed");
    daemon.signal(Signal::SIGHUP);
    assert!(manager.hears().starts_with("RELOADING=1 "));
    assert!(manager.hears().starts_with(&format!("{still}cannot read ")));
    fs::write(daemon.path("modules.toml"), whole).expect("written");
    assert_eq!(daemon.exeunt(&["reload"]).status, 0);
    assert!(manager.hears().starts_with("RELOADING=1 "));
    let ready = manager.hears();
    assert!(ready.ends_with(" serves, 0 sessions"), "{ready}");
}

#[test]
fn the_manager_hears_of_another_program_in_the_same_process() {
    let (manager, setup) = Manager::starting(echo());
    let daemon = setup.start();
    manager.hears();
    daemon.signal(Signal::SIGUSR2);
    let expected =
        format!("MAINPID={} READY=1 STATUS=generation 1 serves, 0 sessions", daemon.pid());
    assert_eq!(manager.hears(), expected);
}

#[test]
fn module_code_cannot_reach_the_manager() {
    // A session lets nobody else look at its environment.
    if !needs_root() {
        return;
    }
    let (_manager, setup) = Manager::starting(echo());
    let (address, passed) = socket();
    let daemon = setup.listen_at("ftp", &address.to_string()).passed("x", passed);
    let daemon = daemon.module_with("ftp", "root = '.'").start();
    for process in daemon.processes() {
        let environment = fs::read(format!("/proc/{}/environ", process.0)).expect("a process");
        let environment = String::from_utf8_lossy(&environment).into_owned();
        assert!(!environment.contains("NOTIFY_SOCKET"), "{environment}");
        assert!(!environment.contains("LISTEN_"), "{environment}");
    }
}

#[test]
fn sockets_are_found_by_name_and_by_address() {
    let ((named, first), (other, second)) = (socket(), socket());
    let setup = Setup::new().listen_at("echo", "systemd:talk").passed("talk", first);
    let setup = setup.listen_at("ftp", &other.to_string()).passed("unknown", second);
    let daemon = setup.module_with("ftp", "root = '.'").start();
    greeted(named).ask("by name", "by name");
    Client::to(other).expect("220");
    assert_eq!(daemon.exeunt(&["check"]).status, 0);
}

#[test]
fn a_passed_socket_outlives_a_reload_a_zygote_and_another_program() {
    let (address, passed) = socket();
    let daemon = Setup::new().listen_at("echo", "systemd:talk").passed("talk", passed).start();
    assert_eq!(daemon.exeunt(&["reload"]).stdout, "generation 2 serves\n");
    greeted(address);
    daemon.signal(Signal::SIGUSR2);
    wait_until(|| daemon.log().contains("goes on with "));
    assert_eq!(daemon.exeunt(&["reload"]).stdout, "generation 3 serves\n");
    wait_until(|| daemon.json("status")["generations"].as_array().is_some_and(|g| g.len() == 1));
    kill(daemon.zygote(), Signal::SIGKILL);
    greeted(address);
}

#[test]
fn a_socket_that_nothing_listens_on_is_refused() {
    let ((address, passed), (_, other)) = (socket(), socket());
    let setup = Setup::new().listen_at("echo", &address.to_string());
    let refused = setup.passed("talk", passed).passed("more", other).refused();
    assert_eq!(refused.status, 4, "{}", refused.text);
    let why = "error: no [[listen]] takes the socket `more` (127.0.0.1:";
    assert!(refused.stderr.contains(why), "{}", refused.text);
    assert!(refused.stderr.contains("write `address = \"systemd:more\"`"), "{}", refused.text);
}

#[test]
fn a_reload_that_would_leave_a_passed_socket_alone_is_refused() {
    let (address, passed) = socket();
    let daemon = Setup::new().listen_at("echo", "systemd:talk").passed("talk", passed).start();
    rewrite(&daemon, "systemd:talk", &format!("127.0.0.1:{}", ports::free()));
    let refused = daemon.exeunt(&["reload"]);
    assert_eq!(refused.status, 4, "{}", refused.text);
    assert!(refused.stderr.contains("no [[listen]] takes the socket `talk`"), "{}", refused.text);
    greeted(address);
}

#[test]
fn a_listen_whose_socket_was_not_passed_is_refused_at_its_place() {
    let (_, passed) = socket();
    let setup = Setup::new().listen_at("echo", "systemd:talk").passed("tlak", passed);
    let refused = setup.refused();
    assert_eq!(refused.status, 4, "{}", refused.text);
    for part in ["no socket with the name `talk`", "it was passed: tlak", "modules.toml:", "^^^"] {
        assert!(refused.stderr.contains(part), "{}", refused.text);
    }
    let none = Setup::new().listen_at("echo", "systemd:talk").refused();
    assert!(none.stderr.contains("it was passed no socket at its start"), "{}", none.text);
}

#[test]
fn a_socket_is_taken_once() {
    let (address, passed) = socket();
    let setup = Setup::new().listen_at("echo", "systemd:talk").passed("talk", passed);
    let setup = setup.listen_at("ftp", &address.to_string()).module_with("ftp", "root = '.'");
    let refused = setup.refused();
    assert_eq!(refused.status, 4, "{}", refused.text);
    assert!(refused.stderr.contains("`echo` and `ftp` have the same socket"), "{}", refused.text);
}

#[test]
fn what_cannot_be_listened_on_is_refused() {
    let datagrams = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let setup = Setup::new().listen_at("echo", "systemd:talk").passed("talk", datagrams);
    let refused = setup.refused();
    assert_eq!(refused.status, 4, "{}", refused.text);
    assert!(refused.stderr.contains("it is not a socket for TCP"), "{}", refused.text);
    assert!(refused.stderr.contains("ListenStream="), "{}", refused.text);
}

#[test]
fn the_units_of_the_documentation_are_right() {
    if !needs("systemd-analyze") {
        return;
    }
    let version = Command::new("systemd-analyze").arg("--version").output().expect("it runs");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let version: u32 =
        version.split(' ').nth(1).and_then(|number| number.parse().ok()).expect("a version");
    let service = include_str!("../docs/exeunt.service");
    let mut service = service.replace("/usr/local/bin/exeunt", env!("CARGO_BIN_EXE_exeunt"));
    if version < 253 {
        service = service.replace("Type=notify-reload", "Type=notify");
    }
    let setup = Setup::new()
        .file("exeunt.service", service)
        .file("exeunt.socket", include_str!("../docs/exeunt.socket"));
    let units = ["exeunt.service", "exeunt.socket"].map(|name| setup.path(name));
    let verified = Command::new("systemd-analyze").arg("verify").args(&units).output();
    let verified = verified.expect("it runs");
    let told = String::from_utf8_lossy(&verified.stderr);
    let wrong: Vec<&str> = told.lines().filter(|line| line.contains("exeunt.s")).collect();
    assert!(verified.status.success() && wrong.is_empty(), "{told}");
}

#[test]
fn a_socket_of_systemd_itself_is_served() {
    if !needs("systemd-socket-activate") {
        return;
    }
    let setup = Setup::new().listen_at("echo", "systemd:talk");
    assert_eq!(setup.check().status, 0);
    let (port, exeunt) = (ports::free(), env!("CARGO_BIN_EXE_exeunt"));
    let mut activated = Command::new("systemd-socket-activate");
    activated.arg(format!("--listen=127.0.0.1:{port}")).args([
        "--fdname=talk",
        exeunt,
        "run",
        "-c",
    ]);
    activated.arg(setup.path("modules.toml")).stderr(Stdio::null());
    let mut daemon = activated.spawn().expect("it runs");
    let mut connection = None;
    wait_until(|| {
        connection = TcpStream::connect(("127.0.0.1", port)).ok();
        connection.is_some()
    });
    Client::over(connection.expect("a connection")).ask("anybody?", "hello");
    kill(i32::try_from(daemon.id()).expect("a process id"), Signal::SIGTERM);
    assert!(daemon.wait().expect("it ends").success());
}
