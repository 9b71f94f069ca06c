//! A module that uses whatever can be registered beside listeners. It serves a protocol of lines, each
//! a verb and its argument, which do what the tests ask for.
#![forbid(unsafe_code)]

use exeunt_api::prelude::*;

/// The module.
struct Hooks;

impl Module for Hooks {
    type Config = ();

    fn init(_config: (), reg: &mut Registrar<'_>) -> Result<()> {
        let lines = reg.counter("lines", [])?;
        let words = reg.counter("words", ["word"])?;
        reg.protocol("hooks", Lines { lines, words })
    }
}

export_module!(Hooks);

/// The protocol.
struct Lines {
    lines: Counter<0>,
    words: Counter<1>,
}

impl Protocol for Lines {
    type Config = ();
    const REFUSAL: &'static str = "";

    fn serve(&self, _config: &(), session: &Session<'_>) -> Result<()> {
        let (client, mut lines) = (session.connection(), LineReader::new(512));
        session.write_all(&client, b"hello\r\n")?;
        loop {
            let Line::Text(line) = lines.read_line(session, &client)? else {
                return Err(session.end(End::Eof));
            };
            self.lines.add([], 1);
            let reply = self.obey(session, &line)?;
            session.write_all(&client, format!("{reply}\r\n").as_bytes())?;
        }
    }
}

impl Lines {
    fn obey(&self, session: &Session<'_>, line: &str) -> Result<String> {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "COUNT" => self.words.add([argument], 1),
            "QUIT" => return Err(session.end(End::Quit)),
            _ => return Ok(format!("no {verb}")),
        }
        Ok(format!("{verb} done"))
    }
}
