//! A session from its greeting to its end: take a line, find the verb, let it answer.

use exeunt_api::prelude::*;

use crate::client::{Client, Login};
use crate::command::{self, Command, Malformed};
use crate::line::Line;
use crate::reply::{Answer, Reply, Stop};
use crate::verbs::{self, Takes, Verb};

/// Serves a client until its session ends; the error is always that end.
pub(crate) fn serve(client: &mut Client<'_>) -> Result<()> {
    client.control.send(&greeting(&client.config.greeting))?;
    loop {
        let answer = match client.control.line()? {
            Line::Text(line) => answer(client, &line),
            Line::TooLong => Ok(Reply::new(500, "The command is too long.")),
            Line::NotText => Ok(Reply::new(501, "Names and commands have to be UTF-8.")),
        };
        match answer {
            Ok(reply) | Err(Stop::Reply(reply)) => client.control.send(&reply)?,
            Err(Stop::Session(error)) => return Err(error),
        }
    }
}

fn greeting(text: &str) -> Reply {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let last = lines.pop().unwrap_or_default();
    match lines.is_empty() {
        true => Reply::new(220, last),
        false => Reply::block(220, lines.remove(0), lines, last),
    }
}

/// Answers one line.
fn answer(client: &mut Client<'_>, line: &str) -> Answer {
    let command = match command::parse(line) {
        Ok(command) => command,
        Err(Malformed::Empty) => return Ok(Reply::new(500, "There is no command.")),
        Err(Malformed::ControlCharacter) => {
            return Ok(Reply::new(501, "Control characters are not allowed."));
        }
        Err(Malformed::NotAVerb) => return Ok(Reply::new(500, "Command not understood.")),
    };
    let Some(verb) = verbs::find(&command.verb) else {
        return unknown(client, &command);
    };
    report(client, verb, command.argument)?;
    if !verb.early && client.login != Login::Done {
        return Ok(Reply::new(530, "Please log in with USER and PASS."));
    }
    let argument = Some(command.argument).filter(|text| !text.is_empty());
    let request = Request {
        verb: verb.name,
        argument: argument.filter(|_| verb.takes != Takes::Secret),
        class: verb.class,
    };
    dispatch(client, &request, |client| carry_out(client, verb, command.argument))
}

/// Answers a verb that is not FTP's. A module may know it.
fn unknown(client: &mut Client<'_>, command: &Command<'_>) -> Answer {
    // What follows may be a secret behind a misspelt PASS.
    client.session.command(&command.verb, None)?;
    let not_understood = Reply::new(500, format!("{} not understood.", command.verb));
    if client.login != Login::Done {
        return Ok(not_understood);
    }
    let argument = Some(command.argument).filter(|text| !text.is_empty());
    let request = Request { verb: &command.verb, argument, class: CommandClass::Misc };
    dispatch(client, &request, |_| Ok(not_understood))
}

/// Has the host run what modules have hooked to a command, and around it the command itself.
fn dispatch<'s>(
    client: &mut Client<'s>,
    request: &Request<'_>,
    own: impl FnOnce(&mut Client<'s>) -> Answer,
) -> Answer {
    let session = client.session;
    let dispatched = session.dispatch(request, |told| match own(client) {
        Ok(reply) | Err(Stop::Reply(reply)) => {
            let text = reply.to_string();
            if reply.is_failure() {
                told.failed(text.trim_end());
            } else {
                told.done(text.trim_end());
            }
            Ok(reply)
        }
        Err(Stop::Session(error)) => Err(error),
    })?;
    Ok(match dispatched {
        Dispatched::Own(reply) => reply,
        Dispatched::Done(text) => Reply::of_module(200, &text),
        Dispatched::Failed(text) | Dispatched::Denied(text) => Reply::of_module(550, &text),
    })
}

/// Checks what follows a verb, and does what it says.
fn carry_out(client: &mut Client<'_>, verb: &Verb, argument: &str) -> Answer {
    match (verb.takes, argument) {
        (Takes::Nothing, "") | (Takes::Perhaps | Takes::Secret, _) => {}
        (Takes::Nothing, _) => {
            return Ok(Reply::new(501, format!("{} takes no argument.", verb.name)));
        }
        (Takes::Path, "") => return Ok(Reply::new(501, needs_argument(verb))),
        (Takes::Text(code), "") => return Ok(Reply::new(code, needs_argument(verb))),
        (Takes::Path | Takes::Text(_), _) => {}
    }
    (verb.run)(client, argument)
}

fn needs_argument(verb: &Verb) -> String {
    format!("{} needs an argument: {}", verb.name, verb.syntax)
}

/// Tells the host what the session is about to do.
fn report(client: &Client<'_>, verb: &Verb, argument: &str) -> Result<()> {
    let path = match verb.takes {
        Takes::Path => client.path(argument),
        _ => client.folder.clone(),
    };
    let shown = match (verb.takes, argument) {
        (Takes::Secret, _) => format!("{} (hidden)", verb.name),
        (_, "") => verb.name.to_owned(),
        (_, argument) => format!("{} {argument}", verb.name),
    };
    client.session.command(&shown, Some(&path.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_has_as_many_lines_as_its_text() {
        assert_eq!(greeting("Hello.").to_string(), "220 Hello.\r\n");
        assert_eq!(greeting("").to_string(), "220 \r\n");
        assert_eq!(greeting("a\nb\nc").to_string(), "220-a\r\n b\r\n220 c\r\n");
    }
}
