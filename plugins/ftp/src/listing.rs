//! LIST, NLST, MLSD and MLST, and what STAT shows of a folder. How a line looks is the business of
//! `entry.rs`.

use std::io;

use jiff::Timestamp;

use crate::client::Client;
use crate::data;
use crate::entry::{self, Entry, Kind, Rights, Role};
use crate::path::VirtualPath;
use crate::reply::{Answer, Reply, printable};
use crate::transfer;

/// `LIST`. A path that does not exist is told after the data connection has been opened, as many
/// clients expect.
pub(crate) fn list(client: &mut Client<'_>, argument: &str) -> Answer {
    let lines = long_lines(client, argument);
    let data = data::open(client, "Here comes the listing.")?;
    let lines = lines.map_err(|error| Reply::from_io(450, options(argument).1, &error))?;
    transfer::send(client, &data, text(&lines).as_bytes())?;
    Ok(transfer::complete())
}

/// `NLST`. Names are given so that each can be used as the argument of a RETR (RFC 1123, 4.1.2.7):
/// in another folder than the working directory with that folder's path.
pub(crate) fn nlst(client: &mut Client<'_>, argument: &str) -> Answer {
    let (all, target) = options(argument);
    let path = client.path(target);
    let refused = |error| Reply::from_io(450, target, &error);
    let names = if client.tree.entry(&path).map_err(refused)?.kind == Kind::Folder {
        let prefix = match target {
            "" => String::new(),
            folder => format!("{}/", folder.trim_end_matches('/')),
        };
        let entries = visible(client, &path, all).map_err(refused)?;
        entries.iter().map(|entry| prefix.clone() + &entry.name).collect()
    } else {
        vec![target.to_owned()]
    };
    let names: Vec<String> = names.iter().map(|name| printable(name)).collect();
    let data = data::open(client, "Here come the names.")?;
    transfer::send(client, &data, text(&names).as_bytes())?;
    Ok(transfer::complete())
}

/// `MLSD`
pub(crate) fn mlsd(client: &mut Client<'_>, argument: &str) -> Answer {
    let path = client.path(argument);
    let lines = fact_lines(client, &path).map_err(|error| Reply::from_io(550, &path, &error))?;
    let data = data::open(client, "Here comes the listing.")?;
    transfer::send(client, &data, text(&lines).as_bytes())?;
    Ok(transfer::complete())
}

/// `MLST`
pub(crate) fn mlst(client: &mut Client<'_>, argument: &str) -> Answer {
    let path = client.path(argument);
    let entry = client.tree.entry(&path).map_err(|error| Reply::from_io(550, argument, &error))?;
    let facts = facts(client, &entry, Role::Member, &path);
    Ok(Reply::block(250, "Facts:", [format!("{facts} {path}")], "End."))
}

/// `STAT path`: the listing in the reply itself.
pub(crate) fn stat(client: &Client<'_>, argument: &str) -> Answer {
    let target = options(argument).1;
    let lines =
        long_lines(client, argument).map_err(|error| Reply::from_io(450, target, &error))?;
    Ok(Reply::block(213, format!("Status of {}:", client.path(target)), lines, "End."))
}

/// Takes options as of `ls` from the front; the only one that matters is `a`.
fn options(argument: &str) -> (bool, &str) {
    let (mut all, mut rest) = (false, argument.trim_start());
    while let Some(option) = rest.strip_prefix('-') {
        let (letters, further) = option.split_once(' ').unwrap_or((option, ""));
        all |= letters.contains('a');
        rest = further.trim_start();
    }
    (all, rest)
}

fn visible(client: &Client<'_>, folder: &VirtualPath, all: bool) -> io::Result<Vec<Entry>> {
    let mut entries = client.tree.list(folder)?;
    entries.retain(|entry| all || !entry.is_hidden());
    Ok(entries)
}

/// The lines of `ls -l` for a folder's content or for one file.
fn long_lines(client: &Client<'_>, argument: &str) -> io::Result<Vec<String>> {
    let (all, target) = options(argument);
    let path = client.path(target);
    let itself = client.tree.entry(&path)?;
    let mut entries = Vec::new();
    if itself.kind != Kind::Folder {
        entries.push(itself);
    } else {
        if all {
            entries.push(Entry { name: ".".to_owned(), ..itself });
            let above = client.tree.entry(&path.parent())?;
            entries.push(Entry { name: "..".to_owned(), ..above });
        }
        entries.append(&mut visible(client, &path, all)?);
    }
    let now = Timestamp::now();
    Ok(entries.iter().map(|entry| entry.long_line(now)).collect())
}

fn fact_lines(client: &Client<'_>, folder: &VirtualPath) -> io::Result<Vec<String>> {
    let content = client.tree.list(folder)?;
    let itself = client.tree.entry(folder)?;
    let above = client.tree.entry(&folder.parent())?;
    let mut lines = vec![
        format!("{} .", facts(client, &itself, Role::Listed, folder)),
        format!("{} ..", facts(client, &above, Role::Parent, &folder.parent())),
    ];
    lines.extend(content.iter().map(|entry| {
        let facts = facts(client, entry, Role::Member, &folder.join(&entry.name));
        format!("{facts} {}", printable(&entry.name))
    }));
    Ok(lines)
}

fn facts(client: &Client<'_>, entry: &Entry, role: Role, path: &VirtualPath) -> String {
    let rights = Rights { write: client.tree.may_write(path), fill: client.tree.may_fill(path) };
    entry::facts(entry, role, rights, &client.facts)
}

fn text(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\r\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_ls_are_taken_from_the_front() {
        assert_eq!(options(""), (false, ""));
        assert_eq!(options("-la"), (true, ""));
        assert_eq!(options("-l -a  a folder"), (true, "a folder"));
        assert_eq!(options("folder -a"), (false, "folder -a"));
    }

    #[test]
    fn lines_end_with_crlf() {
        assert_eq!(text(&["a".to_owned(), "b".to_owned()]), "a\r\nb\r\n");
        assert_eq!(text(&[]), "");
    }
}
