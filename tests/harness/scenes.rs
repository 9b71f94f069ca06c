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
