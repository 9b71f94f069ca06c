//! The served folder: everything that the module does on disk goes through here, beneath the root's
//! descriptor and never by a path of the system. What may be written is decided here as well.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use cap_std::fs::{Dir, MetadataExt, OpenOptions, OpenOptionsExt, Permissions, PermissionsExt};
use rustix::fs::OFlags;

use crate::entry::{Entry, Kind};
use crate::path::VirtualPath;

/// Opening must not wait for the other end of a FIFO, nor follow a link that was put there since.
const CAREFULLY: OFlags = OFlags::NONBLOCK.union(OFlags::NOFOLLOW).union(OFlags::NOCTTY);

/// The served folder of one session, with what may be written in it.
#[derive(Debug)]
pub(crate) struct Tree {
    root: Dir,
    writable: Vec<VirtualPath>,
    overwrite: bool,
}

/// A file that was opened to be written.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) file: File,
    /// Where it lies.
    pub(crate) path: VirtualPath,
    /// Its length when it was opened.
    pub(crate) length: u64,
    /// Whether it did not exist before.
    pub(crate) created: bool,
}

impl Tree {
    /// The tree beneath an open folder. Beneath each of `writable` clients may write; where these lie
    /// is looked up once, so that a link in their place is a matter of the operator alone.
    pub(crate) fn new(
        root: impl AsFd,
        writable: &[VirtualPath],
        overwrite: bool,
    ) -> io::Result<Self> {
        let root = Dir::from_std_file(File::from(root.as_fd().try_clone_to_owned()?));
        let mut tree = Self { root, writable: Vec::new(), overwrite };
        tree.writable = writable.iter().filter_map(|folder| tree.real(folder).ok()).collect();
        Ok(tree)
    }

    /// The tree beneath one of its folders, in which may be written what may be here.
    pub(crate) fn beneath(&self, folder: &VirtualPath) -> io::Result<Self> {
        let real = self.real(folder)?;
        let root = self.root.open_dir(real.relative())?;
        let writable = match self.may_fill(&real) {
            true => vec![VirtualPath::default()],
            false => self.writable.iter().filter_map(|one| one.seen_from(&real)).collect(),
        };
        Ok(Self { root, writable, overwrite: self.overwrite })
    }

    /// The path without symbolic links of a folder that exists.
    fn real(&self, folder: &VirtualPath) -> io::Result<VirtualPath> {
        self.root.open_dir(folder.relative())?;
        let real = self.root.canonicalize(folder.relative())?;
        VirtualPath::from_relative(&real).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Where a name really lies that is about to be made, changed or removed, if that is allowed. The
    /// last component is not followed: a link there is itself what is changed.
    fn place(&self, path: &VirtualPath) -> io::Result<VirtualPath> {
        let name = path.name().ok_or(io::ErrorKind::PermissionDenied)?;
        let place = self.real(&path.parent())?.join(name);
        if self.may_write(&place) { Ok(place) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    /// Whether clients may make, change and remove what has this path.
    pub(crate) fn may_write(&self, path: &VirtualPath) -> bool {
        self.writable.iter().any(|folder| path.is_beneath(folder))
    }

    /// Whether clients may make and remove things in this folder.
    pub(crate) fn may_fill(&self, path: &VirtualPath) -> bool {
        self.may_write(path) || self.writable.contains(path)
    }

    /// What a path leads to.
    pub(crate) fn entry(&self, path: &VirtualPath) -> io::Result<Entry> {
        let metadata = self.root.metadata(path.relative())?;
        Ok(Entry::new(path.name().unwrap_or("/").to_owned(), &metadata))
    }

    /// Whether a path is a folder that may be entered.
    pub(crate) fn enter(&self, folder: &VirtualPath) -> io::Result<()> {
        // "." within it needs the right to search the folder, not that to list it.
        let metadata = self.root.metadata(folder.relative().join("."))?;
        if metadata.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// What lies in a folder, sorted by name. A link is shown as what it leads to; one that leads
    /// nowhere or out of the tree, as a link.
    pub(crate) fn list(&self, folder: &VirtualPath) -> io::Result<Vec<Entry>> {
        let relative = folder.relative();
        let mut entries = Vec::new();
        for found in self.root.read_dir(&relative)? {
            let found = found?;
            let name = found.file_name();
            // What has been removed since is no entry.
            let Ok(own) = found.metadata() else { continue };
            let metadata = match own.is_symlink() {
                true => self.root.metadata(relative.join(&name)).unwrap_or(own),
                false => own,
            };
            entries.push(Entry::new(name.to_string_lossy().into_owned(), &metadata));
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    /// Opens a plain file to be read; with its length.
    pub(crate) fn open(&self, path: &VirtualPath) -> io::Result<(File, u64)> {
        let flags = CAREFULLY.difference(OFlags::NOFOLLOW);
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(flag_bits(flags));
        let file = self.root.open_with(path.relative(), &options)?.into_std();
        let length = plain_length(&file)?;
        Ok((file, length))
    }

    /// Opens a plain file to be written, and makes it if there is none. An older content stays as it
    /// is. `new` insists on a file that did not exist.
    pub(crate) fn create(&self, path: &VirtualPath, new: bool) -> io::Result<Upload> {
        let path = self.place(path)?;
        let relative = path.relative();
        let mut options = OpenOptions::new();
        options.write(true).mode(0o666).custom_flags(flag_bits(CAREFULLY));
        let exists = self.root.symlink_metadata(&relative).is_ok();
        if exists && (new || !self.overwrite) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        options.create_new(!exists);
        let file = self.root.open_with(&relative, &options)?.into_std();
        let length = plain_length(&file)?;
        Ok(Upload { file, path, length, created: !exists })
    }

    /// Makes a folder.
    pub(crate) fn make_folder(&self, path: &VirtualPath) -> io::Result<()> {
        self.root.create_dir(self.place(path)?.relative())
    }

    /// Removes an empty folder.
    pub(crate) fn remove_folder(&self, path: &VirtualPath) -> io::Result<()> {
        self.root.remove_dir(self.place(path)?.relative())
    }

    /// Removes what is not a folder.
    pub(crate) fn remove_file(&self, path: &VirtualPath) -> io::Result<()> {
        self.root.remove_file(self.place(path)?.relative())
    }

    /// Whether a path exists and may be renamed.
    pub(crate) fn check_rename(&self, from: &VirtualPath) -> io::Result<()> {
        self.root.symlink_metadata(self.place(from)?.relative()).map(|_| ())
    }

    /// Gives a file or folder another path; replaces a file there if overwriting is allowed.
    pub(crate) fn rename(&self, from: &VirtualPath, to: &VirtualPath) -> io::Result<()> {
        let (from, to) = (self.place(from)?.relative(), self.place(to)?.relative());
        if !self.overwrite && self.root.symlink_metadata(&to).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.root.rename(from, &self.root, to)
    }

    /// Sets the permission bits of a file or folder; a link is not followed but refused.
    pub(crate) fn set_mode(&self, path: &VirtualPath, mode: u32) -> io::Result<()> {
        let place = self.place(path)?.relative();
        if self.root.symlink_metadata(&place)?.is_symlink() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.root.set_permissions(place, Permissions::from_mode(mode))
    }
}

impl Entry {
    fn new(name: String, metadata: &cap_std::fs::Metadata) -> Self {
        let kind = match metadata.file_type() {
            kind if kind.is_dir() => Kind::Folder,
            kind if kind.is_file() => Kind::File,
            kind if kind.is_symlink() => Kind::Link,
            _ => Kind::Other,
        };
        Self {
            name,
            kind,
            mode: metadata.mode() & 0o7777,
            links: metadata.nlink(),
            size: metadata.size(),
            modified: metadata.mtime(),
            unique: (metadata.dev(), metadata.ino()),
        }
    }
}

/// The flags as the system call takes them; none of them is the sign bit.
fn flag_bits(flags: OFlags) -> i32 {
    i32::try_from(flags.bits()).unwrap_or_default()
}

/// The length of what was opened, if it is a plain file.
fn plain_length(file: &File) -> io::Result<u64> {
    let metadata = file.metadata()?;
    match metadata.file_type() {
        kind if kind.is_file() => Ok(metadata.len()),
        kind if kind.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
