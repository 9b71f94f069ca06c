//! Staging: a module's file is read once; what was read is inspected, hashed, kept and sealed in
//! memory. From then on nobody looks at the file again, so it may be overwritten, truncated or deleted.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::{Identity, Refusal, inspect};

/// The largest file that is taken for a module.
const LIMIT: u64 = 256 << 20;

/// A module that was read and inspected, and of which no code has run yet.
#[derive(Debug)]
pub(crate) struct Staged {
    /// Its name in `modules.toml`, the same as in its note.
    pub(crate) name: String,
    /// The file that was read.
    pub(crate) path: PathBuf,
    /// The SHA-256 of what was read, in hexadecimal.
    pub(crate) sha256: String,
    /// What its file says about it.
    pub(crate) identity: Identity,
    /// A sealed copy in memory: this is what gets loaded.
    pub(super) image: OwnedFd,
}

/// A file that was read and inspected.
#[derive(Debug)]
pub(crate) struct Seen {
    /// What it says about itself.
    pub(crate) identity: Identity,
    /// Its SHA-256 in hexadecimal.
    pub(crate) sha256: String,
}

/// Reads and inspects a file, whatever module it holds ("it …" if it is refused).
pub(crate) fn see(path: &Path) -> Result<Seen, Refusal> {
    let bytes = read(path)?;
    Ok(Seen { identity: inspect(&bytes)?, sha256: hash(&bytes) })
}

/// Reads, inspects, keeps and seals the module `name` from `path`. With `keep`, a copy is left there
/// as `<sha256>.so`, from which the same module can be staged again.
pub(crate) fn stage(name: &str, path: &Path, keep: Option<&Path>) -> Result<Staged, Refusal> {
    let staged = || {
        let bytes = read(path)?;
        let identity = inspect(&bytes)?;
        if identity.name != name {
            return Err(other_name(&identity.name));
        }
        let sha256 = hash(&bytes);
        if let Some(folder) = keep {
            keep_copy(folder, &sha256, &bytes)?;
        }
        let image = seal(name, &bytes)?;
        Ok(Staged { name: name.to_owned(), path: path.to_owned(), sha256, identity, image })
    };
    staged().map_err(|refusal: Refusal| refusal.of_module(name, path))
}

fn other_name(found: &str) -> Refusal {
    Refusal::new(format!("it holds the module `{found}`"))
        .hint(format!("write `name = \"{found}\"`, or name the right file"))
}

fn read(path: &Path) -> Result<Vec<u8>, Refusal> {
    let unread =
        |error: std::io::Error| Refusal::new("its file cannot be read").detail(error.to_string());
    // O_NONBLOCK: opening a pipe must not wait for its other end.
    let file =
        OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(unread)?;
    let about = file.metadata().map_err(unread)?;
    if !about.is_file() {
        return Err(Refusal::new("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    if about.len() <= LIMIT {
        bytes.reserve(usize::try_from(about.len()).unwrap_or(0));
        // The file may grow while it is read.
        (&file).take(LIMIT + 1).read_to_end(&mut bytes).map_err(unread)?;
    }
    if about.len().max(bytes.len() as u64) > LIMIT {
        return Err(Refusal::new(format!("it is larger than {} MiB", LIMIT >> 20)));
    }
    Ok(bytes)
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Leaves a copy in `folder` under the name of its content. A copy that is there and right is used.
fn keep_copy(folder: &Path, sha256: &str, bytes: &[u8]) -> Result<(), Refusal> {
    let kept = folder.join(format!("{sha256}.so"));
    if read(&kept).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let temporary = folder.join(format!(".{sha256}.{}", std::process::id()));
    let written = || {
        // One that an earlier process of this id left behind is in the way of `create_new`.
        let _ = fs::remove_file(&temporary);
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o400).open(&temporary)?;
        file.write_all(bytes)?;
        fs::rename(&temporary, &kept)
    };
    written().map_err(|error| {
        let _ = fs::remove_file(&temporary);
        Refusal::new(format!("no copy of it can be kept in {}", folder.display()))
            .detail(error.to_string())
    })
}

/// A copy in memory that nobody can change any more, this process included.
fn seal(name: &str, bytes: &[u8]) -> Result<OwnedFd, Refusal> {
    let sealed = || {
        let image = memory_file(name)?;
        let mut file = File::from(image);
        file.write_all(bytes)?;
        let image = OwnedFd::from(file);
        let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&image, seals)?;
        Ok(image)
    };
    sealed().map_err(|error: std::io::Error| {
        Refusal::new("no sealed copy of it can be made in memory").detail(error.to_string())
    })
}

/// An empty file in memory; one that cannot be executed as a program where the kernel knows of that
/// (mapping its code does not need it).
fn memory_file(name: &str) -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match rustix::fs::memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => rustix::fs::memfd_create(name, flags),
        created => created,
    }
}

#[cfg(test)]
mod tests {
    use super::super::inspect::sample;
    use super::*;
    use std::os::unix::fs::{FileExt, MetadataExt};

    fn file_with(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("libsample.so");
        fs::write(&path, bytes).unwrap();
        (dir, path)
    }

    fn refused(path: &Path) -> String {
        let message = stage("sample", path, None).unwrap_err().message;
        message.split_once(": ").unwrap().1.to_owned()
    }

    #[test]
    fn what_is_kept_and_what_is_loaded_is_what_was_hashed() {
        let bytes = sample::Sample::default().bytes();
        let (dir, path) = file_with(&bytes);
        let staged = stage("sample", &path, Some(dir.path())).unwrap();
        fs::write(&path, "overwritten").unwrap();
        let kept = dir.path().join(format!("{}.so", staged.sha256));
        assert_eq!(staged.sha256, hash(&bytes));
        assert_eq!(fs::read(&kept).unwrap(), bytes);
        assert_eq!(fs::metadata(&kept).unwrap().mode() & 0o777, 0o400);
        let mut image = vec![0; bytes.len()];
        File::from(staged.image).read_exact_at(&mut image, 0).unwrap();
        assert_eq!(image, bytes);
    }

    #[test]
    fn the_copy_in_memory_cannot_be_changed() {
        let (_dir, path) = file_with(&sample::Sample::default().bytes());
        let image = File::from(stage("sample", &path, None).unwrap().image);
        assert!(image.write_at(b"x", 0).is_err());
        assert!(image.set_len(0).is_err());
        assert!(image.set_len(1 << 20).is_err());
    }

    #[test]
    fn a_kept_copy_is_used_again_and_a_wrong_one_replaced() {
        let (dir, path) = file_with(&sample::Sample::default().bytes());
        let staged = stage("sample", &path, Some(dir.path())).unwrap();
        let kept = dir.path().join(format!("{}.so", staged.sha256));
        let first = fs::metadata(&kept).unwrap().ino();
        stage("sample", &path, Some(dir.path())).unwrap();
        assert_eq!(fs::metadata(&kept).unwrap().ino(), first);
        fs::remove_file(&kept).unwrap();
        fs::write(&kept, "damaged").unwrap();
        stage("sample", &path, Some(dir.path())).unwrap();
        assert_eq!(fs::read(&kept).unwrap(), fs::read(&path).unwrap());
    }

    #[test]
    fn what_is_not_a_readable_regular_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(refused(dir.path()), "it is not a regular file");
        assert_eq!(refused(&dir.path().join("absent.so")), "its file cannot be read");
        let pipe = dir.path().join("pipe.so");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        assert_eq!(refused(&pipe), "it is not a regular file");
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let (_dir, path) = file_with(b"");
        File::options().write(true).open(&path).unwrap().set_len(LIMIT + 1).unwrap();
        assert_eq!(refused(&path), "it is larger than 256 MiB");
    }

    #[test]
    fn a_module_of_another_name_is_refused() {
        let (_dir, path) = file_with(&sample::Sample::default().bytes());
        let refusal = stage("other", &path, None).unwrap_err();
        let (path, hint) = (path.display(), refusal.hint.unwrap());
        assert_eq!(
            refusal.message,
            format!("module `other` cannot be loaded from {path}: it holds the module `sample`")
        );
        assert_eq!(hint, "write `name = \"sample\"`, or name the right file");
    }

    #[test]
    fn a_folder_that_cannot_be_written_refuses_the_module() {
        let (dir, path) = file_with(&sample::Sample::default().bytes());
        let refusal = stage("sample", &path, Some(&dir.path().join("absent"))).unwrap_err();
        assert!(refusal.message.contains("no copy of it can be kept in"), "{}", refusal.message);
    }
}
