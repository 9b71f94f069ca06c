//! What many scenarios begin with: three modules that write down when they are entered, and a client
//! that was greeted.

use super::{Client, Daemon, Setup};

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
