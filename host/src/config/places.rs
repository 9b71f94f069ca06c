//! Where a running daemon keeps its files, read from a text that may be wrong: who asks a daemon must
//! find it also while its file is being edited.

use std::path::PathBuf;

use super::find::{Environment, Source};
use super::read::Reader;
use super::syntax;

/// The places that the client commands need.
#[derive(Debug, PartialEq)]
pub(crate) struct Places {
    /// The file, from the root of the file system.
    pub(crate) file: PathBuf,
    /// Where the control socket, the scoreboards and the plans are.
    pub(crate) runtime_dir: PathBuf,
    /// Where the journal is.
    pub(crate) state_dir: PathBuf,
}

/// What can be read of `[host]`, whatever else is in the text; the defaults for the rest. Whether they
/// are the places of the daemon that was meant, only the daemon knows.
pub(crate) fn places(source: &Source, env: &Environment<'_>) -> Places {
    let root = syntax::parse(&source.text).root;
    let reader = Reader::new(source, env, false);
    let host = root.get("host");
    let written = |key: &str| reader.path(host?.get(key)?).ok();
    Places {
        runtime_dir: written("runtime_dir").unwrap_or_else(|| env.runtime_dir()),
        state_dir: written("state_dir").or_else(|| env.state_dir()).unwrap_or_default(),
        file: reader.file,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Environment, Source, places};

    fn of(text: &str) -> [PathBuf; 2] {
        let source = Source { path: "m.toml".into(), text: text.into() };
        let env = Environment { root: true, uid: 0, folder: "/srv".into(), variable: &|_| None };
        let places = places(&source, &env);
        assert_eq!(places.file, PathBuf::from("/srv/m.toml"));
        [places.runtime_dir, places.state_dir]
    }

    #[test]
    fn the_places_are_found_in_a_text_that_is_wrong() {
        let host = "[host]\nruntime_dir = 'run'\nstate_dir = '/s'\n";
        for wrong in ["", "spares = 'x'\n", "[[listen]\n", "[limits]\nsessions = \n", "a = [1,\n"] {
            assert_eq!(of(&format!("{host}{wrong}")), ["/srv/run", "/s"].map(PathBuf::from));
        }
    }

    #[test]
    fn what_cannot_be_read_is_where_it_is_by_default() {
        let defaults = ["/run/exeunt", "/var/lib/exeunt"].map(PathBuf::from);
        for text in ["", "[host]\nruntime_dir = 7\n", "host = 1\n", "[host\nruntime_dir = 'x'\n"] {
            assert_eq!(of(text), defaults, "{text}");
        }
    }
}
