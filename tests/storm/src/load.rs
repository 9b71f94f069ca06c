//! The steady load: so many new sessions a second, whatever the daemon does meanwhile, and what became
//! of each.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::{Client, next_address};
use crate::seed::Seed;

/// So many clients at the same time at most.
const CLIENTS: usize = 128;

/// How a session ended, as its client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// As the client wanted: the cause that the daemon is to find.
    Cause(&'static str),
    /// There was no connection.
    Unconnected(String),
    /// The daemon did not do what it was to do.
    Broken(String),
}

/// What became of a session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Where its client came from: nobody else does.
    pub address: Ipv4Addr,
    /// When the client began to connect.
    pub begun: Instant,
    /// When it was greeted, and with which number.
    pub greeted: Option<(Instant, u64)>,
    /// Whether it was told that it is logged in.
    pub logged_in: bool,
    /// When it was over.
    pub over: Instant,
    /// How it ended.
    pub end: End,
}

/// Clients that come and go until they are told to stop.
#[derive(Debug)]
pub struct Load {
    began: Instant,
    stop: Arc<AtomicBool>,
    sessions: Arc<Mutex<Vec<Session>>>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts a load of `rate` sessions a second.
    ///
    /// # Errors
    ///
    /// There are no threads.
    pub fn start(port: u16, rate: f64, seed: &Seed) -> std::io::Result<Self> {
        let (stop, sessions) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Vec<_>>>::default());
        let (began, tickets) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let clients = (0..CLIENTS).map(|_| {
            let (stop, sessions, tickets) =
                (Arc::clone(&stop), Arc::clone(&sessions), Arc::clone(&tickets));
            let seed = seed.clone();
            thread::Builder::new().stack_size(256 << 10).spawn(move || {
                loop {
                    let ticket = tickets.fetch_add(1, SeqCst);
                    let due = began + Duration::from_secs_f64(ticket as f64 / rate);
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    if stop.load(SeqCst) {
                        return;
                    }
                    let session = visit(port, &mut seed.of(ticket));
                    sessions.lock().unwrap_or_else(PoisonError::into_inner).push(session);
                }
            })
        });
        let clients = clients.collect::<std::io::Result<_>>()?;
        Ok(Self { began, stop, sessions, clients })
    }

    /// Stops the load; every session, and for how long it went on.
    #[must_use]
    pub fn stop(self) -> (Vec<Session>, Duration) {
        self.stop.store(true, SeqCst);
        let took = self.began.elapsed();
        for client in self.clients {
            // One that panicked has left no session, and is missed by the count.
            let _missed = client.join();
        }
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut sessions), took)
    }
}

/// One session from its connection to its end.
fn visit(port: u16, seed: &mut Seed) -> Session {
    let begun = Instant::now();
    let address = next_address();
    let (end, greeted, logged_in) = (End::Broken("it had not begun".to_owned()), None, false);
    let mut session = Session { address, begun, greeted, logged_in, over: begun, end };
    session.end = match Client::connect(address, port) {
        Err(e) => End::Unconnected(e.to_string()),
        Ok(client) => talk(client, &mut session, seed).map_or_else(End::Broken, End::Cause),
    };
    session.over = Instant::now();
    session
}

/// What clients do: most leave in good order, some do not even log in, some are just gone.
fn talk(
    mut client: Client,
    session: &mut Session,
    seed: &mut Seed,
) -> Result<&'static str, String> {
    let number = client.greeting()?;
    session.greeted = Some((Instant::now(), number));
    let way = seed.below(16);
    if way == 0 {
        return client.quit().map(|()| "client-quit");
    }
    client.log_in()?;
    session.logged_in = true;
    match way {
        1 => drop(client),
        2 => {
            client.reset()?;
            return Ok("client-reset");
        }
        3..=6 => {
            client.ask("TYPE I", "200")?;
            client.ask("SIZE file", "213 8")?;
            client.ask("PWD", "257")?;
            return client.quit().map(|()| "client-quit");
        }
        _ => return client.quit().map(|()| "client-quit"),
    }
    Ok("client-eof")
}
