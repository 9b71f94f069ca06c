//! The commands on files and folders that need no data connection.

use std::io;

use crate::client::Client;
use crate::entry::{self, Kind};
use crate::path::VirtualPath;
use crate::reply::{Answer, Reply, quoted};

/// `PWD`, `XPWD`
pub(crate) fn pwd(client: &mut Client<'_>, _: &str) -> Answer {
    Ok(Reply::new(257, format!("{} is the current directory.", quoted(&client.folder))))
}

/// `CWD`, `XCWD`
pub(crate) fn cwd(client: &mut Client<'_>, argument: &str) -> Answer {
    let path = client.path(argument);
    enter(client, path, argument)
}

/// `CDUP`, `XCUP`
pub(crate) fn cdup(client: &mut Client<'_>, _: &str) -> Answer {
    let parent = client.folder.parent();
    enter(client, parent, "..")
}

fn enter(client: &mut Client<'_>, path: VirtualPath, shown: &str) -> Answer {
    client.tree.enter(&path).map_err(refused(shown))?;
    client.folder = path;
    Ok(Reply::new(250, format!("{} is the current directory.", quoted(&client.folder))))
}

/// `MKD`, `XMKD`
pub(crate) fn mkd(client: &mut Client<'_>, argument: &str) -> Answer {
    let path = client.path(argument);
    client.tree.make_folder(&path).map_err(refused(argument))?;
    Ok(Reply::new(257, format!("{} is made.", quoted(&path))))
}

/// `RMD`, `XRMD`
pub(crate) fn rmd(client: &mut Client<'_>, argument: &str) -> Answer {
    client.tree.remove_folder(&client.path(argument)).map_err(refused(argument))?;
    Ok(Reply::new(250, "The directory is removed."))
}

/// `DELE`
pub(crate) fn dele(client: &mut Client<'_>, argument: &str) -> Answer {
    client.tree.remove_file(&client.path(argument)).map_err(refused(argument))?;
    Ok(Reply::new(250, "The file is removed."))
}

/// `RNFR`. The name is remembered until RNTO, whatever lies between.
pub(crate) fn rnfr(client: &mut Client<'_>, argument: &str) -> Answer {
    let path = client.path(argument);
    client.tree.check_rename(&path).map_err(refused(argument))?;
    client.rename_from = Some(path);
    Ok(Reply::new(350, "RNTO with the new name is to follow."))
}

/// `RNTO`
pub(crate) fn rnto(client: &mut Client<'_>, argument: &str) -> Answer {
    let Some(from) = client.rename_from.take() else {
        return Ok(Reply::new(503, "RNFR has to come first."));
    };
    client.tree.rename(&from, &client.path(argument)).map_err(refused(argument))?;
    Ok(Reply::new(250, "Renamed."))
}

/// `SIZE`. In TYPE A the number would be another one, and take a read of the whole file.
pub(crate) fn size(client: &mut Client<'_>, argument: &str) -> Answer {
    if client.ascii {
        return Ok(Reply::new(550, "SIZE needs TYPE I."));
    }
    let entry = client.tree.entry(&client.path(argument)).map_err(refused(argument))?;
    Ok(match entry.kind {
        Kind::File => Reply::new(213, entry.size.to_string()),
        _ => Reply::new(550, format!("{argument}: not a plain file.")),
    })
}

/// `MDTM`
pub(crate) fn mdtm(client: &mut Client<'_>, argument: &str) -> Answer {
    let entry = client.tree.entry(&client.path(argument)).map_err(refused(argument))?;
    Ok(match entry.kind {
        Kind::File => Reply::new(213, entry::stamp(entry.modified)),
        _ => Reply::new(550, format!("{argument}: not a plain file.")),
    })
}

/// `SITE`: `HELP` and `CHMOD`
pub(crate) fn site(client: &mut Client<'_>, argument: &str) -> Answer {
    let (name, rest) = argument.trim_start().split_once(' ').unwrap_or((argument.trim(), ""));
    match name.to_ascii_uppercase().as_str() {
        "HELP" => {
            let commands = ["HELP", "CHMOD <sp> mode <sp> path"].map(str::to_owned);
            Ok(Reply::block(214, "The SITE commands are:", commands, "End."))
        }
        "CHMOD" => chmod(client, rest),
        other => Ok(Reply::new(500, format!("SITE {other} not understood."))),
    }
}

fn chmod(client: &Client<'_>, argument: &str) -> Answer {
    let wrong = || Reply::new(501, "SITE CHMOD takes an octal mode up to 777, and a path.");
    let (mode, name) = argument.split_once(' ').ok_or_else(wrong)?;
    let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o777);
    client.tree.set_mode(&client.path(name), mode.ok_or_else(wrong)?).map_err(refused(name))?;
    Ok(Reply::new(200, "The mode is set."))
}

fn refused(subject: &str) -> impl Fn(io::Error) -> Reply {
    move |error| Reply::from_io(550, subject, &error)
}
