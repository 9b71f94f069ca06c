//! What a client does, and at which point its session is killed.

use std::net::Ipv4Addr;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use super::killer::Order;
use crate::client::{Client, next_address};
use crate::daemon::PATIENCE;
use crate::seed::Seed;
use crate::victim::Victim;

/// How long a session may be silent; longer than a client ever is that does not want to be thrown out.
pub(super) const IDLE: Duration = Duration::from_secs(1);
/// How long a command takes, in milliseconds.
const WORK: usize = 10;

/// When a session is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// While it waits for its client.
    Idle,
    /// While it serves a command.
    Command,
    /// After its client has begun its end.
    End,
}

/// How a client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leave {
    Quit,
    Eof,
    Reset,
    Silence,
    Kicked,
}

/// What became of a client.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// Where it came from: nobody else does.
    pub(super) address: Ipv4Addr,
    /// When it was connected.
    pub(super) begun: Instant,
    /// The session that it was greeted by.
    pub(super) session: Option<String>,
    /// The cause that the daemon is to find, if nobody was killed.
    pub(super) cause: &'static str,
    /// Whether it was told that it is logged in.
    pub(super) logged_in: bool,
    /// When its session was killed, and at which point.
    pub(super) killed: Option<(Instant, Point)>,
    /// What went wrong.
    pub(super) broken: Option<String>,
    /// When it was over.
    pub(super) over: Instant,
}

/// Where clients go, and whom they tell.
#[derive(Clone, Debug)]
pub(super) struct Door {
    /// The port.
    pub(super) port: u16,
    /// Takes the orders that a client has for the killer.
    pub(super) orders: Sender<Order>,
    /// How long the listeners of an end take together.
    pub(super) end: Duration,
}

/// One client from its connection to its end; none if there was nobody to connect to.
pub(super) fn visit(door: &Door, seed: &mut Seed) -> Option<Visit> {
    let address = next_address();
    let client = connect(address, door.port)?;
    let now = Instant::now();
    let mut visit = Visit {
        address,
        begun: now,
        session: None,
        cause: "client-eof",
        logged_in: false,
        killed: None,
        broken: None,
        over: now,
    };
    visit.broken = visit.talk(client, door, seed).err();
    visit.over = Instant::now();
    Some(visit)
}

/// Connects as soon as somebody listens.
fn connect(address: Ipv4Addr, port: u16) -> Option<Client> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        match Client::connect(address, port) {
            Ok(client) => return Some(client),
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
    None
}

impl Visit {
    fn talk(&mut self, mut client: Client, door: &Door, seed: &mut Seed) -> Result<(), String> {
        let way = seed.below(16);
        let point = match seed.below(10) {
            0 => Some(Point::Idle),
            1 => Some(Point::Command),
            2 | 3 => Some(Point::End),
            _ => None,
        };
        let greeting = client.expect("hello ")?;
        let mut words = greeting.split(' ').skip(1);
        let mut word = || words.next().ok_or_else(|| format!("greeted with {greeting:?}"));
        let session = word()?.to_owned();
        let pid = word()?.parse().map_err(|_| format!("greeted with {greeting:?}"))?;
        let victim = Victim::named(pid, "exeunt-session");
        self.session = Some(session.clone());
        if way > 1 {
            client.ask("login", "ok")?;
            self.logged_in = true;
        }
        match point {
            Some(Point::Idle) => return self.die(Point::Idle, victim, client, seed, WORK),
            Some(Point::Command) => {
                client.send(&WORK.to_string())?;
                return self.die(Point::Command, victim, client, seed, WORK);
            }
            _ => {}
        }
        client.ask(&seed.below(3).to_string(), "ok")?;
        let leave = match way {
            0 => Leave::Silence,
            1 => Leave::Eof,
            2 => Leave::Kicked,
            3 | 4 => Leave::Reset,
            5..=8 => Leave::Eof,
            _ => Leave::Quit,
        };
        let client = self.leave(leave, client, door, session)?;
        if point == Some(Point::End) {
            let within = door.end.as_millis() as usize;
            return self.die(Point::End, victim, client, seed, within);
        }
        client.map_or(Ok(()), Client::end)
    }

    /// Begins the end; with the connection, if it is still there.
    fn leave(
        &mut self,
        leave: Leave,
        mut client: Client,
        door: &Door,
        session: String,
    ) -> Result<Option<Client>, String> {
        self.cause = match leave {
            Leave::Quit => "client-quit",
            Leave::Eof => "client-eof",
            Leave::Reset => "client-reset",
            Leave::Silence => "timeout-idle",
            Leave::Kicked => "kicked",
        };
        match leave {
            Leave::Quit => client.send("quit")?,
            Leave::Eof => return Ok(None),
            Leave::Reset => return client.reset().map(|()| None),
            Leave::Silence => {}
            // The killer has gone with the daemon only when the storm cannot go on.
            Leave::Kicked => door.orders.send(Order::Kick(session)).map_err(|e| e.to_string())?,
        }
        client.expect("goodbye: ")?;
        Ok(Some(client))
    }

    /// Kills the session within so many milliseconds.
    fn die(
        &mut self,
        point: Point,
        victim: Option<Victim>,
        client: impl Into<Option<Client>>,
        seed: &mut Seed,
        within: usize,
    ) -> Result<(), String> {
        let client = client.into();
        let victim = victim.ok_or("it was dead when it greeted")?;
        thread::sleep(Duration::from_micros(seed.below(within * 1000) as u64));
        let at = Instant::now();
        if victim.kill() {
            self.killed = Some((at, point));
        }
        drop(client);
        Ok(())
    }
}
