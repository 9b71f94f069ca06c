//! The ways for a session to end, each brought about for real, and the cause that the journal is to
//! give for it.

use super::site::{DENIED, Site, Timeout};
use crate::harness::*;

/// Why the session ends. The order is the one in which they follow one another on a daemon: what
/// costs it its zygote or itself comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    Quit,
    Eof,
    Reset,
    Idle,
    Login,
    Session,
    Denied,
    Limit,
    LoginAttempts,
    TermSession,
    KillIdle,
    KillTransfer,
    Segv,
    Abort,
    Panic,
    OutOfMemory,
    KillZygote,
    KillAll,
    TermDaemon,
}

/// The session under test, as far as its client still has it.
pub(super) struct Departing {
    /// The client's address, by which the journal's line is found.
    pub(super) peer: String,
    /// Its end of the connection, if it has not closed it itself.
    pub(super) client: Option<Client>,
}

impl Cause {
    pub(super) const ALL: [Self; 19] = [
        Self::Quit,
        Self::Eof,
        Self::Reset,
        Self::Idle,
        Self::Login,
        Self::Session,
        Self::Denied,
        Self::Limit,
        Self::LoginAttempts,
        Self::TermSession,
        Self::KillIdle,
        Self::KillTransfer,
        Self::Segv,
        Self::Abort,
        Self::Panic,
        Self::OutOfMemory,
        Self::KillZygote,
        Self::KillAll,
        Self::TermDaemon,
    ];

    pub(super) fn name(self) -> &'static str {
        self.told().0
    }

    /// The cause in the journal.
    pub(super) fn journalled(self) -> &'static str {
        self.told().1
    }

    fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Quit => ("quit", "client-quit"),
            Self::Eof => ("eof", "client-eof"),
            Self::Reset => ("reset", "client-reset"),
            Self::Idle => ("idle", "timeout-idle"),
            Self::Login => ("login", "timeout-login"),
            Self::Session => ("session", "timeout-session"),
            Self::Denied => ("denied", "access-denied"),
            Self::Limit => ("limit", "limit-sessions"),
            Self::LoginAttempts => ("login-attempts", "limit-login-attempts"),
            Self::TermSession => ("term-session", "signal"),
            Self::KillIdle => ("kill-idle", "signal"),
            Self::KillTransfer => ("kill-transfer", "signal"),
            Self::Segv => ("segv", "crashed"),
            Self::Abort => ("abort", "crashed"),
            Self::Panic => ("panic", "crashed"),
            Self::OutOfMemory => ("out-of-memory", "out-of-memory"),
            Self::KillZygote => ("kill-zygote", "zygote-lost"),
            Self::KillAll => ("kill-all", "supervisor-lost"),
            Self::TermDaemon => ("term-daemon", "daemon-shutdown"),
        }
    }

    /// The timeout that the daemon must have for it; the others need one without.
    pub(super) fn timeout(self) -> Timeout {
        match self {
            Self::Idle => Timeout::Idle,
            Self::Login => Timeout::Login,
            Self::Session => Timeout::Session,
            _ => Timeout::None,
        }
    }

    /// Opens a session and has it end.
    pub(super) fn bring_about(self, site: &mut Site) -> Departing {
        match self {
            Self::Denied => return Departing::of(site.connect_from(DENIED, "ftp")),
            Self::Segv => return misdeed(site, "null-write"),
            Self::Abort => return misdeed(site, "abort"),
            Self::Panic => return misdeed(site, "panic"),
            Self::OutOfMemory if site.bounds_memory => return misdeed(site, "eat"),
            Self::OutOfMemory => return misdeed(site, "starve"),
            Self::Limit => {
                site.hold_another();
                return Departing::of(site.connect("ftp"));
            }
            // These come by themselves, on a busy machine before the greeting.
            Self::Idle | Self::Login | Self::Session => {
                return Departing::of(site.connect("ftp"));
            }
            _ => {}
        }
        let mut client = site.connect("ftp");
        client.expect("220");
        let mut departing = Departing::of(client);
        match self {
            Self::Eof => drop(departing.client.take()),
            Self::Reset => departing.client.take().into_iter().for_each(Client::reset),
            Self::Quit => departing.say(&[("QUIT", "221")]),
            Self::LoginAttempts => {
                let wrong = [("USER root", "331"), ("PASS wrong", "530")];
                departing.say(&[wrong, wrong].concat());
            }
            Self::TermSession => site.signal(&departing.peer, Signal::SIGTERM),
            Self::KillIdle => site.signal(&departing.peer, Signal::SIGKILL),
            Self::KillTransfer => {
                let _data = departing.begin_transfer();
                site.signal(&departing.peer, Signal::SIGKILL);
            }
            Self::KillZygote => site.kill_zygote(),
            Self::KillAll => site.kill_everything(),
            Self::TermDaemon => site.end_daemon(),
            _ => {}
        }
        departing
    }
}

/// The protocol itself does this.
fn misdeed(site: &mut Site, how: &str) -> Departing {
    let mut client = site.connect("misbehave");
    client.send(how);
    Departing::of(client)
}

impl Departing {
    fn of(client: Client) -> Self {
        let peer = client.stream().local_addr().expect("an address").to_string();
        Self { peer, client: Some(client) }
    }

    fn client(&mut self) -> &mut Client {
        self.client.as_mut().expect("the connection is still there")
    }

    fn say(&mut self, table: &[(&str, &str)]) {
        for (line, begin) in table {
            self.client().ask(line, begin);
        }
    }

    /// Logs in and has a file sent that is not read; the data connection.
    fn begin_transfer(&mut self) -> Client {
        self.say(&[("USER ftp", "331"), ("PASS x", "230"), ("TYPE I", "200")]);
        let reply = self.client().ask("EPSV", "229");
        let port = reply.split('|').nth(3).and_then(|port| port.parse().ok());
        let data = Client::to(("127.0.0.1", port.expect("a port")));
        self.say(&[("RETR big", "150")]);
        data
    }
}
