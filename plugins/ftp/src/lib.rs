//! FTP: the module that serves files. Here: what it registers. The way of a session begins in
//! `serve.rs`; the verbs are listed in `verbs.rs`; what is done on disk goes through `tree.rs`.
#![forbid(unsafe_code)]

mod address;
mod ascii;
mod client;
mod command;
mod config;
mod control;
mod data;
mod entry;
mod files;
mod inquiry;
mod line;
mod listing;
mod login;
mod path;
mod reply;
mod serve;
mod transfer;
mod tree;
mod verbs;

use std::path::PathBuf;

use exeunt_api::prelude::*;

use crate::client::{Client, Kept, Tally};
use crate::config::Config;

/// The module.
struct Ftp;

impl Module for Ftp {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        let root = reg.directory(&config.root)?;
        let tally = reg.session_state::<Tally>()?;
        reg.on_exit("summary", move |exit| {
            if let Some(text) = summary(&exit.get(&tally)?) {
                exit.log().info(text);
            }
            Ok(())
        })?;
        let files = reg.counter("files", ["direction"])?;
        let bytes = reg.counter("bytes", ["direction"])?;
        let stored = reg.event("ftp.stored", 1)?;
        let kept = Kept { tally, files, bytes, stored };
        reg.protocol("ftp", Files { root, path: config.root, kept })
    }
}

export_module!(Ftp);

/// The protocol: the files beneath a folder.
struct Files {
    root: Directory,
    /// Where it was opened.
    path: PathBuf,
    kept: Kept,
}

impl Protocol for Files {
    type Config = Config;
    const REFUSAL: &'static str = "421 Too many connections: try again later.\r\n";

    fn serve(&self, config: &Config, session: &Session<'_>) -> Result<()> {
        // Folders are opened by init, which sees the module's own settings only. To serve another
        // folder than the one that was asked for would be worse than not to serve.
        if config.root != self.path {
            session.log().error(format!(
                "cannot serve {} on the listen {}: the module has opened {}, and all its listens have \
                 that `root`",
                config.root.display(),
                session.listen(),
                self.path.display(),
            ));
            return Err(session.end(End::Request("the listen has another root than the module")));
        }
        serve::serve(&mut Client::new(session, config, self.root, &self.kept)?)
    }

    fn farewell(&self, end: &Ended<'_>) -> Option<String> {
        let reply = login::farewell(end.cause(), end.command().is_some())?;
        Some(reply.to_string())
    }
}

/// What the log says of a session's transfers; nothing if there were none.
fn summary(tally: &Tally) -> Option<String> {
    let Tally { stored, fetched, bytes_stored, bytes_fetched, last } = tally;
    (!last.is_empty()).then(|| {
        let last = reply::printable(last);
        format!(
            "stored {stored} files ({bytes_stored} bytes), \
             sent {fetched} ({bytes_fetched} bytes), last {last}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_with_transfers_has_a_summary_of_one_line() {
        assert_eq!(summary(&Tally::default()), None);
        let last = "/a\nb".to_owned();
        let tally = Tally { stored: 1, bytes_stored: 5, last, ..Tally::default() };
        let text = summary(&tally).expect("a summary");
        assert_eq!(text, "stored 1 files (5 bytes), sent 0 (0 bytes), last /a?b");
    }
}
