//! A protocol for storms: it greets with its session and the process that serves it, so that a client
//! knows whom it can kill, and works for as long as it is told.
#![forbid(unsafe_code)]

use std::time::Duration;
use std::{process, thread};

use exeunt_api::prelude::*;

/// The longest line, in bytes.
const LONGEST: usize = 80;

struct Busy;

impl Module for Busy {
    type Config = ();

    fn init(_config: (), reg: &mut Registrar<'_>) -> Result<()> {
        reg.protocol("busy", Busy)
    }
}

impl Protocol for Busy {
    type Config = ();
    const REFUSAL: &'static str = "full\r\n";

    fn serve(&self, _config: &(), session: &Session<'_>) -> Result<()> {
        let (client, mut lines) = (session.connection(), LineReader::new(LONGEST));
        let greeting = format!("hello {} {}\r\n", session.session(), process::id());
        session.write_all(&client, greeting.as_bytes())?;
        loop {
            match lines.read_line(session, &client)? {
                Line::Text(line) if line == "quit" => return Err(session.end(End::Quit)),
                Line::Text(line) if line == "login" => session.login("busy")?,
                Line::Text(line) => work(&line),
                Line::TooLong => {}
                Line::Eof => return Err(session.end(End::Eof)),
            }
            session.write_all(&client, b"ok\r\n")?;
        }
    }

    fn farewell(&self, end: &Ended<'_>) -> Option<String> {
        Some(format!("goodbye: {}\r\n", end.cause()))
    }
}

/// Serves a command that takes so many milliseconds, during which nobody looks for signals.
fn work(millis: &str) {
    thread::sleep(Duration::from_millis(millis.parse().unwrap_or(0)));
}

export_module!(Busy);
