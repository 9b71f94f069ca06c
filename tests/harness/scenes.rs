//! What many scenarios begin with: three modules that write down when they are entered, and a client
//! that was greeted; and how some end: with the death of everything.

use super::{Client, Daemon, Process, Setup, Signal, wait_until};

/// The three listeners in their order, as [`Daemon::entered`] tells it.
pub(crate) const ALL: &str = "trace_a/trace trace_b/trace trace_c/trace";

/// Three tracing modules, and echo.
pub(crate) fn three() -> Setup {
    Setup::new().module("trace_a").module("trace_b").module("trace_c").listen("echo")
}

/// A client of the first listen, which echo has greeted.
#[track_caller]
pub(crate) fn greeted(daemon: &Daemon) -> Client {
    let mut client = daemon.connect();
    client.expect("hello");
    client
}

/// Kills the daemon with every process that belongs to it: sessions and runners first, before the eyes
/// of nobody, since whoever could see them die has been stopped.
pub(crate) fn kill_everything(daemon: &mut Daemon) {
    let all = daemon.processes();
    let is_zygote = |process: &Process| process.name() == "exeunt-zygote";
    let (zygotes, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_zygote);
    let supervisor = Process(daemon.pid());
    for process in zygotes.iter().chain([&supervisor]) {
        process.signal(Signal::SIGSTOP);
        wait_until(|| process.status("State").starts_with('T'));
    }
    for process in others.iter().chain(&zygotes).chain([&supervisor]) {
        // A spare may have left meanwhile.
        let _gone = nix::sys::signal::kill(nix::unistd::Pid::from_raw(process.0), Signal::SIGKILL);
    }
    daemon.wait_end();
}

/// `geheim`, by `openssl passwd -6`.
pub(crate) const GEHEIM: &str = "$6$Zm9vYmFy$3KMnqjZBzMCvzphmImVtxa3td4EU3rOWcQkd.bT/mgUcNhglS5PxmybbLcDQ.0sn1fuCAnEtJWgm5L1sxdpGT1";

/// FTP with users from a file.
pub(crate) fn with_users(users: &str) -> Setup {
    let users = users.replace("GEHEIM", GEHEIM);
    let setup = Setup::new().file("srv/anna/a.txt", "text").file("users", users);
    let setup = setup
        .module_with("ftp", "root = 'srv'\nwrite = ['/anna']")
        .module_with("passwd_file", "file = 'users'");
    setup.listen("ftp")
}

/// A login by FTP; with what it is answered.
#[track_caller]
pub(crate) fn log_in(daemon: &Daemon, user: &str, password: &str, answer: &str) -> Client {
    let mut client = daemon.connect();
    client.expect("220 ");
    client.ask(&format!("USER {user}"), "331 ");
    client.ask(&format!("PASS {password}"), answer);
    client
}
