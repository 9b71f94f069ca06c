//! `exeunt who`: the open sessions, from the scoreboards.

use std::io::ErrorKind;

use serde::Serialize;

use super::Streams;
use super::daemon::Daemon;
use super::refusal::{Failure, Refusal};
use super::show;
use crate::clock;
use crate::scoreboard::{self, Row};

/// A session, for programs.
#[derive(Serialize)]
struct Session<'a> {
    session: &'a str,
    pid: u32,
    generation: u64,
    listen: &'a str,
    protocol: &'a str,
    user: Option<&'a str>,
    peer: &'a str,
    started: String,
    idle_ms: u64,
    state: &'a str,
    command: Option<&'a str>,
    path: Option<&'a str>,
    bytes_in: u64,
    bytes_out: u64,
}

impl<'a> Session<'a> {
    fn of(row: &'a Row, now: u64) -> Self {
        Self {
            session: &row.id,
            pid: row.pid,
            generation: row.generation,
            listen: &row.listen,
            protocol: &row.protocol,
            user: row.user.as_deref(),
            peer: &row.peer,
            started: clock::rfc3339(row.started),
            idle_ms: idle(row, now),
            state: &row.state,
            command: row.command.as_deref(),
            path: row.path.as_deref(),
            bytes_in: row.bytes_in,
            bytes_out: row.bytes_out,
        }
    }
}

/// The answer for programs.
#[derive(Serialize)]
struct Sessions<'a> {
    sessions: Vec<Session<'a>>,
}

pub(super) fn run(daemon: &Daemon, json: bool, streams: &mut Streams<'_>) -> Result<(), Failure> {
    let (status, _) = daemon.status()?;
    let mut rows = Vec::new();
    let mut unread = None;
    for number in status.generations.iter().map(|generation| generation.generation) {
        let path = daemon.runtime_dir.join(scoreboard::file_name(number));
        match scoreboard::read(&path) {
            Ok(sessions) => rows.extend(sessions),
            // A generation that has ended since the daemon answered.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let what = format!("could not read the sessions of generation {number}");
                unread = Some(Refusal::failed(what, &error));
            }
        }
    }
    rows.sort_by(|a, b| (a.started, &a.id).cmp(&(b.started, &b.id)));
    let now = clock::unix_millis();
    streams.say(&if json { for_programs(&rows, now) } else { for_people(&rows, now) })?;
    unread.map_or(Ok(()), |refusal| Err(refusal.into()))
}

fn for_programs(rows: &[Row], now: u64) -> String {
    let sessions = rows.iter().map(|row| Session::of(row, now)).collect();
    show::json(&Sessions { sessions })
}

fn for_people(rows: &[Row], now: u64) -> String {
    if rows.is_empty() {
        return "no session is open\n".to_owned();
    }
    let heads =
        ["SESSION", "USER", "PEER", "PROTOCOL", "SINCE", "IDLE", "STATE", "COMMAND", "PATH"];
    let mut cells = vec![heads.map(str::to_owned)];
    cells.extend(rows.iter().map(|row| {
        [
            show::escape(&row.id),
            show::or_dash(row.user.as_deref()),
            show::escape(&row.peer),
            show::escape(&row.protocol),
            clock::rfc3339(row.started),
            show::length(idle(row, now) as f64),
            show::escape(&row.state),
            show::or_dash(row.command.as_deref()),
            show::or_dash(row.path.as_deref()),
        ]
    }));
    show::columns("", &cells)
}

fn idle(row: &Row, now: u64) -> u64 {
    now.saturating_sub(row.active)
}
