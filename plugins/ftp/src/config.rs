//! The module's settings: what may be written in `modules.toml`. What cannot be meant is refused here,
//! at its place in the file.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use exeunt_api::prelude::*;
use exeunt_api::settings::{Setting, Shape};

use crate::path::VirtualPath;

/// Settings of the module, and, with a listen's `config` laid over, of each listen.
#[derive(Settings)]
pub(crate) struct Config {
    /// The folder that clients see as `/`, the same for every listen. A relative path counts from the
    /// folder of `modules.toml`.
    pub(crate) root: PathBuf,
    /// Whether clients may log in as `anonymous` or `ftp`, with any password.
    #[settings(default)]
    pub(crate) anonymous: bool,
    /// The folders beneath which clients may write, as they see them: `["/incoming"]`. These folders
    /// themselves stay. Everything else is read-only.
    #[settings(default)]
    pub(crate) write: Vec<Folder>,
    /// Whether an upload or a rename may replace a file that exists.
    #[settings(default = true)]
    pub(crate) overwrite: bool,
    /// What a client is greeted with.
    #[settings(default = "Welcome.")]
    pub(crate) greeting: String,
    /// The ports for passive data connections, for instance `40000-40100`; any free port if absent.
    pub(crate) passive_ports: Option<Ports>,
}

/// A folder as clients see it.
pub(crate) struct Folder(pub(crate) VirtualPath);

impl Setting for Folder {
    const SHAPE: Shape = Shape::Text;

    fn read(value: Value<'_>) -> Option<Self> {
        let text = String::read(value)?;
        if !text.starts_with('/') {
            let hint = format!("write \"/{text}\"");
            return value.problem("a path as clients see it begins with a slash", Some(&hint));
        }
        Some(Self(VirtualPath::default().join(&text)))
    }
}

/// The ports to listen on for data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ports(pub(crate) RangeInclusive<u16>);

impl Setting for Ports {
    const SHAPE: Shape = Shape::Text;

    fn read(value: Value<'_>) -> Option<Self> {
        let text = String::read(value)?;
        Self::parse(&text).or_else(|| {
            let hint = "write the first and the last port, for instance \"40000-40100\"";
            value.problem("this is no range of ports from 1024 up", Some(hint))
        })
    }
}

impl Ports {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first >= 1024 && first <= last).then_some(Self(first..=last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_ports_is_two_unprivileged_ports_in_order() {
        assert_eq!(Ports::parse("40000-40100"), Some(Ports(40000..=40100)));
        assert_eq!(Ports::parse(" 40000 - 40000 "), Some(Ports(40000..=40000)));
        for wrong in ["", "40000", "40100-40000", "20-21", "40000-70000", "a-b", "40000-40001-2"] {
            assert_eq!(Ports::parse(wrong), None, "{wrong}");
        }
    }
}
