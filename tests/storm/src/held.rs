//! Sessions that stay open over several generations.

use std::collections::VecDeque;
use std::time::Instant;

use crate::client::{Client, next_address};
use crate::load::{End, Session};

/// Open sessions of the living generations, oldest first.
#[derive(Debug)]
pub struct Held {
    port: u16,
    open: VecDeque<Vec<(Client, Session)>>,
    stranded: Vec<(Client, Session)>,
    /// Those that are over.
    pub over: Vec<Session>,
}

impl Held {
    /// None yet.
    #[must_use]
    pub fn new(port: u16) -> Self {
        Self { port, open: VecDeque::new(), stranded: Vec::new(), over: Vec::new() }
    }

    /// How many generations have open sessions.
    #[must_use]
    pub fn generations(&self) -> usize {
        self.open.len()
    }

    /// Opens `many` sessions of the generation that serves.
    pub fn open(&mut self, many: usize) {
        let opened: Vec<_> = (0..many).filter_map(|_| self.one(true)).collect();
        self.open.push_back(opened);
    }

    /// Opens `many` sessions that do not log in.
    pub fn strand(&mut self, many: usize) {
        self.stranded = (0..many).filter_map(|_| self.one(false)).collect();
    }

    /// Sees those end that did not log in: the zygote of their generation is gone.
    pub fn see_stranded_end(&mut self) {
        for (mut client, session) in std::mem::take(&mut self.stranded) {
            let ended = client.expect("421").and_then(|_| client.end());
            let end = ended.map_or_else(End::Broken, |()| End::Cause("zygote-lost"));
            self.end(session, end);
        }
    }

    fn one(&mut self, logs_in: bool) -> Option<(Client, Session)> {
        let (begun, address) = (Instant::now(), next_address());
        let end = End::Cause("client-quit");
        let mut session =
            Session { address, begun, greeted: None, logged_in: false, over: begun, end };
        let opened =
            Client::connect(address, self.port).map_err(|e| End::Unconnected(e.to_string()));
        let opened = opened.and_then(|mut client| {
            let number = client.greeting().map_err(End::Broken)?;
            session.greeted = Some((Instant::now(), number));
            if logs_in {
                client.log_in().map_err(End::Broken)?;
                session.logged_in = true;
            }
            Ok(client)
        });
        match opened {
            Ok(client) => Some((client, session)),
            Err(end) => {
                self.end(session, end);
                None
            }
        }
    }

    fn end(&mut self, mut session: Session, end: End) {
        (session.end, session.over) = (end, Instant::now());
        self.over.push(session);
    }

    /// Asks each for a sign of life. One that gives none is over.
    pub fn ask_all(&mut self) {
        for mut generation in std::mem::take(&mut self.open) {
            let mut alive = Vec::new();
            for (mut client, session) in generation.drain(..) {
                match client.ask("NOOP", "200") {
                    Ok(_) => alive.push((client, session)),
                    Err(why) => self.end(session, End::Broken(format!("held: {why}"))),
                }
            }
            self.open.push_back(alive);
        }
    }

    /// Lets go of the oldest, until those of `keep` generations are left.
    pub fn keep(&mut self, keep: usize) {
        while self.open.len() > keep {
            for (client, session) in self.open.pop_front().into_iter().flatten() {
                let end = match client.quit() {
                    Ok(()) => End::Cause("client-quit"),
                    Err(why) => End::Broken(format!("held: {why}")),
                };
                self.end(session, end);
            }
        }
    }
}
