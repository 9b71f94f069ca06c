//! Commands that ask about the server, and those that set how a session transfers and lists.

use exeunt_api::prelude::*;

use crate::client::Client;
use crate::entry::Fact;
use crate::listing;
use crate::reply::{Answer, Reply};
use crate::verbs::{self, VERBS};

/// Features that do not belong to a single verb.
const GENERAL: [&str; 2] = ["TVFS", "UTF8"];

/// `SYST`
pub(crate) fn syst(_: &mut Client<'_>, _: &str) -> Answer {
    Ok(Reply::new(215, "UNIX Type: L8"))
}

/// `NOOP`
pub(crate) fn noop(_: &mut Client<'_>, _: &str) -> Answer {
    Ok(Reply::new(200, "Nothing done."))
}

/// `ALLO`
pub(crate) fn allo(_: &mut Client<'_>, _: &str) -> Answer {
    Ok(Reply::new(202, "No storage has to be allocated."))
}

/// `ACCT`, `REIN`, `SMNT`
pub(crate) fn not_here(_: &mut Client<'_>, _: &str) -> Answer {
    Ok(Reply::new(502, "Not implemented here."))
}

/// `FEAT` (RFC 2389)
pub(crate) fn feat(client: &mut Client<'_>, _: &str) -> Answer {
    Ok(Reply::block(211, "Features:", features(&client.facts), "End"))
}

fn features(chosen: &[Fact]) -> Vec<String> {
    let mut lines: Vec<String> =
        VERBS.iter().filter_map(|verb| verb.feature).map(str::to_owned).collect();
    lines.extend(GENERAL.map(str::to_owned));
    let facts = Fact::ALL.iter().map(|fact| {
        let mark = if chosen.contains(fact) { "*" } else { "" };
        format!("{}{mark};", fact.name())
    });
    lines.push(format!("MLST {}", facts.collect::<String>()));
    lines.sort();
    lines
}

/// `HELP`, `HELP verb`
pub(crate) fn help(_: &mut Client<'_>, argument: &str) -> Answer {
    if argument.trim().is_empty() {
        let names: Vec<&str> =
            VERBS.iter().filter(|verb| !verb.syntax.is_empty()).map(|verb| verb.name).collect();
        let rows = names.chunks(8).map(|row| row.iter().map(|name| format!("{name:<6}")).collect());
        return Ok(Reply::block(214, "The commands are:", rows, "HELP command tells more."));
    }
    let name = argument.trim().to_ascii_uppercase();
    Ok(match verbs::find(&name).filter(|verb| !verb.syntax.is_empty()) {
        Some(verb) => Reply::new(214, format!("Syntax: {}", verb.syntax)),
        None => Reply::new(502, format!("There is no command {name}.")),
    })
}

/// `STAT`, `STAT path`
pub(crate) fn stat(client: &mut Client<'_>, argument: &str) -> Answer {
    if !argument.is_empty() {
        return listing::stat(client, argument);
    }
    let state = [
        format!("Connected from {}", client.peer),
        format!("Logged in as {}", client.session.user().unwrap_or("nobody")),
        format!("TYPE {}, MODE S, STRU F", if client.ascii { "A" } else { "I" }),
        "No data connection".to_owned(),
    ];
    Ok(Reply::block(211, "Status:", state, "End of status."))
}

/// `OPTS` (RFC 2389): `MLST facts` and `UTF8 ON`
pub(crate) fn opts(client: &mut Client<'_>, argument: &str) -> Answer {
    let (name, value) = argument.trim().split_once(' ').unwrap_or((argument.trim(), ""));
    match name.to_ascii_uppercase().as_str() {
        "MLST" => {
            let wanted: Vec<&str> = value.split(';').map(str::trim).collect();
            client.facts = chosen(&wanted);
            let names = client.facts.iter().map(|fact| format!("{};", fact.name()));
            Ok(Reply::new(200, format!("MLST OPTS {}", names.collect::<String>()).trim_end()))
        }
        "UTF8" | "UTF-8" if matches!(value.to_ascii_uppercase().as_str(), "" | "ON") => {
            Ok(Reply::new(200, "Names are UTF-8."))
        }
        "UTF8" | "UTF-8" => Ok(Reply::new(501, "Names are always UTF-8.")),
        other => Ok(Reply::new(500, format!("OPTS {other} not understood."))),
    }
}

/// The facts of those names, unknown ones left out (RFC 3659, 7.9).
fn chosen(names: &[&str]) -> Vec<Fact> {
    let wanted = |fact: &Fact| names.iter().any(|name| name.eq_ignore_ascii_case(fact.name()));
    Fact::ALL.into_iter().filter(wanted).collect()
}

/// `TYPE`
pub(crate) fn type_(client: &mut Client<'_>, argument: &str) -> Answer {
    let wanted = argument.trim().to_ascii_uppercase();
    client.ascii = match wanted.as_str() {
        "A" | "A N" => true,
        "I" | "L 8" | "L" => false,
        _ => return Ok(Reply::new(504, format!("TYPE {wanted} is not implemented."))),
    };
    if client.ascii {
        client.restart = 0;
    }
    Ok(Reply::new(200, format!("Type set to {}.", if client.ascii { "A" } else { "I" })))
}

/// `MODE`: only stream
pub(crate) fn mode(_: &mut Client<'_>, argument: &str) -> Answer {
    only("MODE", "S", &["B", "C"], argument)
}

/// `STRU`: only file
pub(crate) fn stru(_: &mut Client<'_>, argument: &str) -> Answer {
    only("STRU", "F", &["R", "P"], argument)
}

fn only(verb: &str, here: &str, elsewhere: &[&str], argument: &str) -> Answer {
    let wanted = argument.trim().to_ascii_uppercase();
    Ok(match wanted.as_str() {
        wanted if wanted == here => Reply::new(200, format!("{verb} set to {here}.")),
        wanted if elsewhere.contains(&wanted) => {
            Reply::new(504, format!("{verb} {wanted} is not implemented."))
        }
        _ => Reply::new(501, format!("{verb} {wanted} is unknown.")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_name_the_chosen_facts() {
        let lines = features(&[Fact::Size]);
        assert!(lines.contains(&"MLST type;size*;modify;perm;unique;UNIX.mode;".to_owned()));
        for feature in ["EPRT", "EPSV", "MDTM", "REST STREAM", "SIZE", "TVFS", "UTF8"] {
            assert!(lines.contains(&feature.to_owned()), "{feature}");
        }
        assert!(lines.is_sorted());
    }

    #[test]
    fn facts_are_chosen_by_name_in_any_case() {
        assert_eq!(chosen(&["SIZE", "type", "nosuch", ""]), [Fact::Type, Fact::Size]);
        assert_eq!(chosen(&[""]), []);
    }

    #[test]
    fn what_exists_elsewhere_is_504_and_nonsense_501() {
        let code = |argument| only("STRU", "F", &["R", "P"], argument).map(|r| r.to_string());
        assert!(code("f").is_ok_and(|reply| reply.starts_with("200")));
        assert!(code("R").is_ok_and(|reply| reply.starts_with("504")));
        assert!(code("X").is_ok_and(|reply| reply.starts_with("501")));
    }
}
