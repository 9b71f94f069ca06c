//! Paths as clients see them. Nothing here touches the file system.

use std::fmt;
use std::path::{Component, Path, PathBuf};

/// An absolute, normalised path: no empty, `.` or `..` component. `/` is the served root, and no
/// text that a client sends leads above it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VirtualPath(Vec<String>);

impl VirtualPath {
    /// The path that `text` names for somebody who stands at `self`.
    pub(crate) fn join(&self, text: &str) -> Self {
        let mut parts = if text.starts_with('/') { Vec::new() } else { self.0.clone() };
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                name => parts.push(name.to_owned()),
            }
        }
        Self(parts)
    }

    /// The folder that it lies in; the root's is the root.
    pub(crate) fn parent(&self) -> Self {
        self.join("..")
    }

    /// The last component; the root has none.
    pub(crate) fn name(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// Whether it lies beneath `folder` and is not the folder itself.
    pub(crate) fn is_beneath(&self, folder: &Self) -> bool {
        self.0.len() > folder.0.len() && self.0.starts_with(&folder.0)
    }

    /// The same place for somebody whose root is `folder`, if it lies beneath that.
    pub(crate) fn seen_from(&self, folder: &Self) -> Option<Self> {
        self.is_beneath(folder).then(|| Self(self.0[folder.0.len()..].to_vec()))
    }

    /// The same place as a path relative to the served root, never empty.
    pub(crate) fn relative(&self) -> PathBuf {
        if self.0.is_empty() { PathBuf::from(".") } else { self.0.iter().collect() }
    }

    /// The virtual path of a path relative to the served root, if it is plain UTF-8.
    pub(crate) fn from_relative(path: &Path) -> Option<Self> {
        let mut parts = Vec::new();
        for component in path.components() {
            match component {
                Component::CurDir => {}
                Component::Normal(name) => parts.push(name.to_str()?.to_owned()),
                Component::Prefix(_) | Component::RootDir | Component::ParentDir => return None,
            }
        }
        Some(Self(parts))
    }
}

impl fmt::Display for VirtualPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|part| write!(f, "/{part}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> VirtualPath {
        VirtualPath::default().join(text)
    }

    #[test]
    fn dots_and_double_slashes_disappear() {
        assert_eq!(path("/a//./b/../c/").to_string(), "/a/c");
        assert_eq!(path("/a/b").join("c").to_string(), "/a/b/c");
        assert_eq!(path("/a/b").join("/c").to_string(), "/c");
    }

    #[test]
    fn nothing_is_above_the_root() {
        assert_eq!(path("../../..").to_string(), "/");
        assert_eq!(path("/a/../../etc/passwd").relative(), Path::new("etc/passwd"));
        assert_eq!(path("/").relative(), Path::new("."));
        assert_eq!(path("/").parent(), path("/"));
    }

    #[test]
    fn beneath_means_strictly_beneath_and_by_whole_names() {
        let incoming = path("/incoming");
        assert!(path("/incoming/a/b").is_beneath(&incoming));
        assert!(!path("/incoming").is_beneath(&incoming));
        assert!(!path("/incoming2/a").is_beneath(&incoming));
        assert!(path("/a").is_beneath(&path("/")));
    }

    proptest! {
        #[test]
        fn every_text_gives_a_normal_path_that_reads_back(start in "[a-z./]{0,12}", text in ".{0,40}") {
            let joined = path(&start).join(&text);
            prop_assert_eq!(&path(&joined.to_string()), &joined);
            let relative = joined.relative();
            prop_assert!(relative.components().all(|part| !matches!(part, Component::ParentDir | Component::RootDir)));
            prop_assert_eq!(VirtualPath::from_relative(&relative), Some(joined));
        }
    }
}
