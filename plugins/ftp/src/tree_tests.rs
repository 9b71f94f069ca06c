//! Tests of the served folder, each in a scratch folder of its own.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;

use super::*;

struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// `outside` lies beside the served folder `srv`; beneath `srv/in` may be written.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let srv = folder.path().join("srv");
        fs::create_dir_all(srv.join("in")).expect("srv/in");
        fs::write(srv.join("a.txt"), "hello").expect("a.txt");
        fs::write(folder.path().join("outside"), "secret").expect("outside");
        Self { folder }
    }

    fn link(&self, to: &str, name: &str) {
        symlink(to, self.folder.path().join("srv").join(name)).expect("a link");
    }

    fn tree(&self, overwrite: bool) -> Tree {
        let root = File::open(self.folder.path().join("srv")).expect("srv");
        Tree::new(root, &[path("/in")], overwrite).expect("a tree")
    }
}

fn path(text: &str) -> VirtualPath {
    VirtualPath::default().join(text)
}

fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> ErrorKind {
    result.expect_err("a refusal").kind()
}

#[test]
fn links_that_lead_out_are_not_followed() {
    let scratch = Scratch::new();
    scratch.link("../outside", "up");
    scratch.link("/etc/passwd", "absolute");
    scratch.link("/etc", "folder");
    let tree = scratch.tree(true);
    for name in ["/up", "/absolute", "/folder/passwd"] {
        assert_eq!(kind(tree.open(&path(name))), ErrorKind::PermissionDenied, "{name}");
        assert_eq!(kind(tree.entry(&path(name))), ErrorKind::PermissionDenied, "{name}");
    }
    assert_eq!(kind(tree.list(&path("/folder"))), ErrorKind::PermissionDenied);
}

#[test]
fn a_listing_shows_links_within_as_their_targets_and_others_as_links() {
    let scratch = Scratch::new();
    scratch.link("a.txt", "within");
    scratch.link("../outside", "up");
    let entries = scratch.tree(true).list(&path("/")).expect("a listing");
    let found: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.kind, e.size)).collect();
    assert_eq!(found[0], ("a.txt", Kind::File, 5));
    assert_eq!((found[1].0, found[1].1), ("in", Kind::Folder));
    assert_eq!((found[2].0, found[2].1), ("up", Kind::Link));
    assert_eq!(found[3], ("within", Kind::File, 5));
}

#[test]
fn writing_is_allowed_strictly_beneath_the_writable_folder() {
    let scratch = Scratch::new();
    let tree = scratch.tree(true);
    tree.make_folder(&path("/in/d")).expect("allowed");
    tree.create(&path("/in/d/f"), false).expect("allowed");
    assert_eq!(kind(tree.create(&path("/a.txt"), false)), ErrorKind::PermissionDenied);
    assert_eq!(kind(tree.remove_file(&path("/a.txt"))), ErrorKind::PermissionDenied);
    assert_eq!(kind(tree.remove_folder(&path("/in"))), ErrorKind::PermissionDenied);
    assert_eq!(kind(tree.rename(&path("/in/d/f"), &path("/f"))), ErrorKind::PermissionDenied);
    assert_eq!(kind(tree.remove_folder(&path("/"))), ErrorKind::PermissionDenied);
}

#[test]
fn a_link_beneath_the_writable_folder_does_not_widen_it() {
    let scratch = Scratch::new();
    scratch.link("..", "in/back");
    scratch.link("../a.txt", "in/file");
    let tree = scratch.tree(true);
    assert_eq!(kind(tree.create(&path("/in/back/new"), false)), ErrorKind::PermissionDenied);
    tree.create(&path("/in/file"), false).expect_err("a link is not written through");
    assert_eq!(tree.entry(&path("/a.txt")).expect("a.txt").size, 5);
}

#[test]
fn an_older_content_stays_until_it_is_replaced() {
    let scratch = Scratch::new();
    let tree = scratch.tree(true);
    fs::write(scratch.folder.path().join("srv/in/f"), "12345").expect("f");
    let upload = tree.create(&path("/in/f"), false).expect("an upload");
    assert_eq!((upload.length, upload.created), (5, false));
    assert_eq!(kind(tree.create(&path("/in/f"), true)), ErrorKind::AlreadyExists);
}

#[test]
fn without_overwrite_what_exists_stays() {
    let scratch = Scratch::new();
    let tree = scratch.tree(false);
    tree.create(&path("/in/f"), false).expect("new");
    tree.create(&path("/in/g"), false).expect("new");
    assert_eq!(kind(tree.create(&path("/in/f"), false)), ErrorKind::AlreadyExists);
    assert_eq!(kind(tree.rename(&path("/in/f"), &path("/in/g"))), ErrorKind::AlreadyExists);
    tree.rename(&path("/in/f"), &path("/in/h")).expect("a new name");
}

#[test]
fn only_plain_files_are_opened() {
    let scratch = Scratch::new();
    let fifo = scratch.folder.path().join("srv/in/fifo");
    let status = std::process::Command::new("mkfifo").arg(fifo).status().expect("mkfifo");
    assert!(status.success());
    let tree = scratch.tree(true);
    assert_eq!(kind(tree.open(&path("/in/fifo"))), ErrorKind::InvalidInput);
    tree.create(&path("/in/fifo"), false).expect_err("no reader, and not a plain file");
    assert_eq!(kind(tree.open(&path("/in"))), ErrorKind::IsADirectory);
}

#[test]
fn a_tree_beneath_a_folder_has_what_may_be_written_there_and_nothing_above() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(dir.path().join("in/anna")).expect("folders");
    fs::create_dir_all(dir.path().join("out/drop")).expect("folders");
    let root = File::open(dir.path()).expect("open");
    let path = |text: &str| VirtualPath::default().join(text);
    let tree = Tree::new(&root, &[path("/in"), path("/out/drop")], true).expect("a tree");
    let anna = tree.beneath(&path("/in/anna")).expect("anna's");
    assert!(anna.may_write(&path("/a")) && anna.enter(&path("/../out")).is_err());
    let out = tree.beneath(&path("/out")).expect("out");
    assert!(out.may_write(&path("/drop/a")) && !out.may_write(&path("/a")));
    assert!(tree.beneath(&path("/none")).is_err());
}
