//! Who may decide which code root runs: the owner and the modes of a module's file and of every folder
//! above it. Asked only if the daemon is root; whoever else starts it runs modules with their own rights.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User};

use super::Refusal;

/// Where only root's files are taken, whoever owns the configuration.
const SYSTEM: [&str; 9] =
    ["/etc", "/usr", "/lib", "/lib64", "/bin", "/sbin", "/var", "/run", "/boot"];

/// The right to write of the group.
const GROUP: u32 = 0o020;
/// The right to write of all others.
const OTHERS: u32 = 0o002;
/// The bit that protects a folder's entries from those who do not own them.
const STICKY: u32 = 0o1000;

/// Whose files are taken.
#[derive(Debug)]
pub(crate) struct Trust {
    owners: Vec<u32>,
    /// Groups that have nobody in them but an owner.
    groups: Vec<u32>,
}

impl Trust {
    /// Root's files, and those of the owner of this configuration if it lies outside the system's
    /// folders: who was named with `-c` carries the modules.
    pub(crate) fn with(config: &Path) -> Self {
        let mut trust = Self { owners: vec![0], groups: vec![0] };
        let in_system = SYSTEM.iter().any(|folder| config.starts_with(folder));
        let about = fs::metadata(config).ok().filter(|about| about.mode() & OTHERS == 0);
        if let Some(about) = about.filter(|about| !in_system && about.uid() != 0) {
            trust.owners.push(about.uid());
            trust.groups.extend(own_group(about.uid()));
        }
        trust
    }

    /// Looks at a file and all folders above it. Returns its owner if that is not root.
    pub(crate) fn check(&self, file: &Path) -> Result<Option<String>, Refusal> {
        let unseen = |path: &Path, e: std::io::Error| {
            Refusal::new(format!("the owner of {} cannot be seen", path.display()))
                .detail(e.to_string())
        };
        let real = fs::canonicalize(file).map_err(|e| unseen(file, e))?;
        let about = fs::metadata(&real).map_err(|e| unseen(&real, e))?;
        self.check_one("its file", &real, &about)?;
        // A link leads through the folders above itself and those above what it leads to.
        let above = |path: &Path| path.ancestors().skip(1).map(PathBuf::from).collect::<Vec<_>>();
        let folders: BTreeSet<PathBuf> = above(file).into_iter().chain(above(&real)).collect();
        for folder in folders.iter().filter(|folder| !folder.as_os_str().is_empty()) {
            let about = fs::metadata(folder).map_err(|e| unseen(folder, e))?;
            self.check_one("the folder", folder, &about)?;
        }
        Ok((about.uid() != 0).then(|| user(about.uid())))
    }

    fn check_one(&self, what: &str, path: &Path, about: &Metadata) -> Result<(), Refusal> {
        let (mode, at) = (about.mode(), path.display());
        if !self.owners.contains(&about.uid()) {
            let owners: Vec<String> = self.owners.iter().map(|uid| user(*uid)).collect();
            return Err(Refusal::new(format!("{what} {at} belongs to {}", user(about.uid())))
                .detail(format!("root runs only what belongs to {}", owners.join(" or ")))
                .hint(format!("if it is the right one: chown root {at}")));
        }
        // In a sticky folder nobody can replace what belongs to somebody else.
        let sticky = about.is_dir() && mode & STICKY != 0;
        let by_group = mode & GROUP != 0 && !self.groups.contains(&about.gid());
        if !sticky && (by_group || mode & OTHERS != 0) {
            return Err(Refusal::new(format!("{what} {at} can be written by others"))
                .detail(format!("its mode is {:04o}", mode & 0o7777))
                .hint(format!("chmod go-w {at}")));
        }
        Ok(())
    }
}

/// The group that bears a user's name, if it is the user's own and has no other member.
fn own_group(uid: u32) -> Option<u32> {
    let user = User::from_uid(Uid::from_raw(uid)).ok()??;
    let group = Group::from_gid(user.gid).ok()??;
    let alone = group.mem.iter().all(|member| *member == user.name);
    (group.name == user.name && alone).then(|| Gid::as_raw(user.gid))
}

fn user(uid: u32) -> String {
    let known = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    known.map_or_else(|| format!("user {uid}"), |user| user.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    /// Files of root and of whoever runs the tests.
    fn trust() -> Trust {
        Trust { owners: vec![0, nix::unistd::geteuid().as_raw()], groups: vec![] }
    }

    /// A folder with a module's file in it, of these modes.
    fn module(folder: u32, file: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let (inside, path) = (dir.path().join("in"), dir.path().join("in/libx.so"));
        fs::create_dir(&inside).unwrap();
        fs::write(&path, "").unwrap();
        for (path, mode) in [(&path, file), (&inside, folder)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        (dir, path)
    }

    #[test]
    fn what_only_its_owner_can_write_is_taken() {
        let (_dir, path) = module(0o755, 0o644);
        assert!(trust().check(&path).is_ok());
    }

    #[test]
    fn a_file_or_folder_that_others_can_write_is_refused() {
        for mode in [0o666, 0o664] {
            let (_dir, path) = module(0o755, mode);
            let refusal = trust().check(&path).unwrap_err();
            assert!(refusal.message.starts_with("its file /"), "{}", refusal.message);
            assert!(refusal.message.ends_with("libx.so can be written by others"));
            assert_eq!(refusal.detail, Some(format!("its mode is {mode:04o}")));
        }
        let (_dir, path) = module(0o777, 0o644);
        let refusal = trust().check(&path).unwrap_err();
        assert!(refusal.message.ends_with("/in can be written by others"), "{}", refusal.message);
    }

    #[test]
    fn a_sticky_folder_protects_what_is_in_it() {
        let (_dir, path) = module(0o1777, 0o644);
        assert!(trust().check(&path).is_ok());
    }

    #[test]
    fn a_group_of_its_own_may_write() {
        let (_dir, path) = module(0o775, 0o664);
        let groups = vec![fs::metadata(&path).unwrap().gid()];
        assert!(Trust { groups, ..trust() }.check(&path).is_ok());
    }

    #[test]
    fn both_ends_of_a_link_are_looked_at() {
        let (dir, path) = module(0o755, 0o644);
        let (_other, open) = module(0o777, 0o644);
        let (inward, outward) = (open.with_file_name("l.so"), dir.path().join("l.so"));
        symlink(&path, &inward).unwrap();
        symlink(&open, &outward).unwrap();
        assert!(trust().check(&inward).unwrap_err().message.contains("/in can be written"));
        assert!(trust().check(&outward).unwrap_err().message.contains("/in can be written"));
    }

    #[test]
    fn the_file_of_somebody_else_is_refused() {
        let (_dir, path) = module(0o755, 0o644);
        if chown(&path, Some(65_534), None).is_err() {
            return; // Only root can give a file away.
        }
        let refusal = trust().check(&path).unwrap_err();
        assert!(refusal.message.ends_with("libx.so belongs to nobody"), "{}", refusal.message);
        let owner = Trust { owners: vec![0, 65_534], ..trust() };
        assert_eq!(owner.check(&path), Ok(Some("nobody".to_owned())));
    }

    #[test]
    fn the_owner_of_a_configuration_counts_unless_others_can_write_it() {
        let (_dir, path) = module(0o755, 0o644);
        if chown(&path, Some(65_534), None).is_err() {
            return; // Only root can give a file away.
        }
        assert_eq!(Trust::with(&path).owners, [0, 65_534]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o646)).unwrap();
        assert_eq!(Trust::with(&path).owners, [0]);
        assert_eq!(Trust::with(Path::new("/etc/passwd")).owners, [0]);
    }
}
