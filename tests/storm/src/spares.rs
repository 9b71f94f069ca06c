//! Connections with and without spares: how long until the greeting, and how many sessions a second.

use std::thread;
use std::time::Instant;

use crate::Result;
use crate::changes::Modules;
use crate::client::{Client, next_address};
use crate::daemon::Daemon;
use crate::programs::Programs;
use crate::site::{Config, Site};
use crate::summary::{Summary, spread};

/// Measures with no spares and with four, by one client and by sixteen.
///
/// # Errors
///
/// The daemon does not start or serve.
pub fn run(programs: &Programs, sessions: usize) -> Result<Summary> {
    let mut summary = Summary::default();
    for spares in [0, 4] {
        let site = Site::new()?;
        // The module of the protocol alone: what is measured is the host.
        Modules::new(programs, &site)?;
        let config = Config { marks: Vec::new(), protocol: "echo", spares, ..Config::default() };
        site.configure(&config)?;
        let mut daemon = Daemon::start(programs, site, None)?;
        measure(daemon.site.port, 4, sessions / 10)?;
        for clients in [1, 16] {
            let (times, rate) = measure(daemon.site.port, clients, sessions)?;
            let name = format!("{spares} spares, {clients} clients");
            summary.figure(&format!("{name}: connect to greeting"), spread(times));
            summary.figure(&format!("{name}: sessions a second"), format!("{rate:.0}"));
        }
        daemon.wait_quiet()?;
        daemon.stop()?;
    }
    Ok(summary)
}

/// Whole sessions, one after the other by each client: the times to the greeting, and the rate.
fn measure(port: u16, clients: usize, sessions: usize) -> Result<(Vec<f64>, f64)> {
    let began = Instant::now();
    let each = sessions.div_ceil(clients);
    let clients: Vec<_> = (0..clients)
        .map(|_| {
            thread::spawn(move || (0..each).map(|_| visit(port)).collect::<Result<Vec<f64>>>())
        })
        .collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.join().map_err(|_| "a client panicked")??);
    }
    let rate = times.len() as f64 / began.elapsed().as_secs_f64();
    Ok((times, rate))
}

fn visit(port: u16) -> Result<f64> {
    let address = next_address();
    let began = Instant::now();
    let mut client = Client::connect(address, port)?;
    client.expect("hello")?;
    let took = began.elapsed().as_secs_f64() * 1e3;
    client.ask("quit", "goodbye")?;
    client.end()?;
    Ok(took)
}
