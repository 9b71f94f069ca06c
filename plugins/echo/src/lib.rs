//! A whole protocol: greets, sends each line back, and ends with "quit".
#![forbid(unsafe_code)]
use exeunt_api::prelude::*;

/// The longest line, in bytes.
const LONGEST: usize = 4096;

struct Echo;

impl Module for Echo {
    type Config = ();

    fn init(_config: (), reg: &mut Registrar<'_>) -> Result<()> {
        reg.protocol("echo", Echo)
    }
}

impl Protocol for Echo {
    type Config = ();
    const REFUSAL: &'static str = "too many sessions, come back later\r\n";

    fn serve(&self, _config: &(), session: &Session<'_>) -> Result<()> {
        let (client, mut lines) = (session.connection(), LineReader::new(LONGEST));
        session.write_all(&client, b"hello\r\n")?;
        loop {
            match lines.read_line(session, &client)? {
                Line::Text(line) if line == "quit" => return Err(session.end(End::Quit)),
                Line::Text(line) => session.write_all(&client, format!("{line}\r\n").as_bytes())?,
                Line::TooLong => session.write_all(&client, b"that was too long\r\n")?,
                Line::Eof => return Err(session.end(End::Eof)),
            }
        }
    }

    fn farewell(&self, end: &Ended<'_>) -> Option<String> {
        Some(format!("goodbye: {}\r\n", end.cause().text()))
    }
}

export_module!(Echo);
