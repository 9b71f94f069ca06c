//! The table of verbs: what there is, when it may be used, what it takes, and who carries it out.
//! HELP and FEAT read it; a verb that is not here does not exist.

use exeunt_api::prelude::*;

use crate::client::Client;
use crate::reply::Answer;
use crate::{data, files, inquiry, listing, login, transfer};

/// One verb.
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    /// Whether it may be used before the login.
    pub(crate) early: bool,
    pub(crate) class: CommandClass,
    pub(crate) takes: Takes,
    /// What HELP shows; empty for a verb that is only known to be refused.
    pub(crate) syntax: &'static str,
    /// Its line in FEAT. That of MLST depends on the session.
    pub(crate) feature: Option<&'static str>,
    pub(crate) run: fn(&mut Client<'_>, &str) -> Answer,
}

/// What may follow a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    /// Something or nothing.
    Perhaps,
    /// A path, which `who` then shows.
    Path,
    /// Something; without it the reply has this code.
    Text(u16),
    /// The same, and it is never shown to anybody.
    Secret,
}

use CommandClass::{Auth, Dirs, Info, Misc, Read, Write};
use Takes::{Nothing, Path, Perhaps, Secret, Text};

/// The verb of that name, in upper case.
pub(crate) fn find(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

type Run = fn(&mut Client<'_>, &str) -> Answer;

/// A verb that needs a login.
const fn verb(
    name: &'static str,
    class: CommandClass,
    takes: Takes,
    syntax: &'static str,
    run: Run,
) -> Verb {
    Verb { name, early: false, class, takes, syntax, feature: None, run }
}

impl Verb {
    /// It may be used before the login.
    const fn early(mut self) -> Self {
        self.early = true;
        self
    }

    const fn feature(mut self, line: &'static str) -> Self {
        self.feature = Some(line);
        self
    }
}

/// All verbs, by what they are about.
pub(crate) static VERBS: &[Verb] = &[
    verb("USER", Auth, Text(500), "USER <sp> name", login::user).early(),
    verb("PASS", Auth, Secret, "PASS <sp> password", login::pass).early(),
    verb("ACCT", Auth, Perhaps, "", inquiry::not_here).early(),
    verb("REIN", Auth, Perhaps, "", inquiry::not_here).early(),
    verb("QUIT", Misc, Nothing, "QUIT", login::quit).early(),
    // Folders and files.
    verb("PWD", Dirs, Nothing, "PWD", files::pwd),
    verb("XPWD", Dirs, Nothing, "XPWD (as PWD)", files::pwd),
    verb("CWD", Dirs, Path, "CWD <sp> path", files::cwd),
    verb("XCWD", Dirs, Path, "XCWD <sp> path (as CWD)", files::cwd),
    verb("CDUP", Dirs, Nothing, "CDUP", files::cdup),
    verb("XCUP", Dirs, Nothing, "XCUP (as CDUP)", files::cdup),
    verb("MKD", Write, Path, "MKD <sp> path", files::mkd),
    verb("XMKD", Write, Path, "XMKD <sp> path (as MKD)", files::mkd),
    verb("RMD", Write, Path, "RMD <sp> path", files::rmd),
    verb("XRMD", Write, Path, "XRMD <sp> path (as RMD)", files::rmd),
    verb("DELE", Write, Path, "DELE <sp> path", files::dele),
    verb("RNFR", Write, Path, "RNFR <sp> path", files::rnfr),
    verb("RNTO", Write, Path, "RNTO <sp> path", files::rnto),
    verb("SIZE", Info, Path, "SIZE <sp> path", files::size).feature("SIZE"),
    verb("MDTM", Info, Path, "MDTM <sp> path", files::mdtm).feature("MDTM"),
    verb("SITE", Misc, Text(500), "SITE <sp> command", files::site),
    verb("SMNT", Misc, Perhaps, "", inquiry::not_here).early(),
    // The data connection.
    verb("PASV", Misc, Nothing, "PASV", data::pasv),
    verb("EPSV", Misc, Perhaps, "EPSV [<sp> 1 | 2 | ALL]", data::epsv).feature("EPSV"),
    verb("PORT", Misc, Text(501), "PORT <sp> h1,h2,h3,h4,p1,p2", data::port),
    verb("EPRT", Misc, Text(501), "EPRT <sp> |protocol|address|port|", data::eprt).feature("EPRT"),
    verb("TYPE", Misc, Text(500), "TYPE <sp> A | I | L 8", inquiry::type_).early(),
    verb("MODE", Misc, Text(501), "MODE <sp> S", inquiry::mode).early(),
    verb("STRU", Misc, Text(501), "STRU <sp> F", inquiry::stru).early(),
    verb("ALLO", Write, Perhaps, "ALLO <sp> size", inquiry::allo),
    // Transfers.
    verb("LIST", Dirs, Perhaps, "LIST [<sp> -a] [<sp> path]", listing::list),
    verb("NLST", Dirs, Perhaps, "NLST [<sp> -a] [<sp> path]", listing::nlst),
    verb("MLSD", Dirs, Perhaps, "MLSD [<sp> path]", listing::mlsd),
    verb("MLST", Info, Perhaps, "MLST [<sp> path]", listing::mlst),
    verb("RETR", Read, Path, "RETR <sp> path", transfer::retr),
    verb("STOR", Write, Path, "STOR <sp> path", transfer::stor),
    verb("APPE", Write, Path, "APPE <sp> path", transfer::appe),
    verb("STOU", Write, Perhaps, "STOU", transfer::stou),
    verb("REST", Misc, Text(501), "REST <sp> offset", transfer::rest).feature("REST STREAM"),
    verb("ABOR", Misc, Nothing, "ABOR", transfer::abor),
    // The server.
    verb("SYST", Info, Nothing, "SYST", inquiry::syst).early(),
    verb("FEAT", Info, Nothing, "FEAT", inquiry::feat).early(),
    verb("OPTS", Misc, Text(501), "OPTS <sp> MLST [<sp> facts] | UTF8 <sp> ON", inquiry::opts)
        .early(),
    verb("STAT", Info, Perhaps, "STAT [<sp> path]", inquiry::stat),
    verb("HELP", Info, Perhaps, "HELP [<sp> command]", inquiry::help).early(),
    verb("NOOP", Misc, Perhaps, "NOOP", inquiry::noop).early(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_is_there_once_and_its_help_begins_with_its_name() {
        for (index, verb) in VERBS.iter().enumerate() {
            assert!(VERBS[..index].iter().all(|other| other.name != verb.name), "{}", verb.name);
            assert!(verb.syntax.is_empty() || verb.syntax.starts_with(verb.name), "{}", verb.name);
        }
    }

    #[test]
    fn what_touches_files_needs_a_login() {
        for name in ["PWD", "LIST", "RETR", "STOR", "PASV", "PORT", "SITE", "STAT", "SIZE"] {
            assert!(find(name).is_some_and(|verb| !verb.early), "{name}");
        }
    }

    #[test]
    fn names_are_looked_up_in_upper_case() {
        assert!(find("RETR").is_some());
        assert!(find("retr").is_none());
        assert!(find("XYZZY").is_none());
    }
}
