//! What sessions, and what ends them, may touch: the system, and what modules declared. Permissions are
//! open wherever it matters, so that only the kernel's Landlock can refuse.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::harness::*;

const REFUSED: &str = "Permission denied (os error 13)";

/// A folder that everybody may read and write, with a file, outside of what is declared.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let place = Self { folder };
        place.file("secret", "it is secret", 0o666);
        open(place.path(""), 0o777);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn file(&self, name: &str, text: &str, mode: u32) {
        fs::write(self.path(name), text).expect("a file can be written");
        open(self.path(name), mode);
    }
}

fn open(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("modes can be set");
}

/// A daemon with the module `reach` and these settings; none where the kernel has no Landlock.
#[track_caller]
fn reach(config: &str) -> Option<Daemon> {
    with(Setup::new(), config)
}

#[track_caller]
fn with(setup: Setup, config: &str) -> Option<Daemon> {
    let daemon = setup.module_with("reach", config).listen("reach").start();
    (!daemon.log().contains("Landlock")).then_some(daemon)
}

/// What came of a deed in a session.
#[track_caller]
fn ask(daemon: &Daemon, deed: &str) -> String {
    let mut client = greeted(daemon);
    client.send(deed);
    client.line()
}

#[test]
fn a_session_reads_the_system_and_nothing_else() {
    let place = Place::new();
    let Some(daemon) = reach("") else { return };
    assert!(ask(&daemon, "read /etc/hostname").starts_with("read: "));
    assert!(ask(&daemon, "read /proc/self/stat").contains("exeunt-session"));
    assert_eq!(ask(&daemon, "append /dev/null"), "append: 1");
    let secret = place.text("secret");
    assert_eq!(ask(&daemon, &format!("read {secret}")), format!("read failed: {REFUSED}"));
    assert_eq!(ask(&daemon, &format!("append {secret}")), format!("append failed: {REFUSED}"));
    let make = format!("make {}", place.text("new"));
    assert_eq!(ask(&daemon, &make), format!("make failed: {REFUSED}"));
    let own = daemon.path("").display().to_string();
    assert_eq!(ask(&daemon, &format!("list {own}")), format!("list failed: {REFUSED}"));
}

#[test]
fn without_root_it_is_the_same() {
    let place = Place::new();
    let read = format!("read {}", place.text("secret"));
    let Some(daemon) = with(Setup::new().as_nobody(), "") else { return };
    assert_eq!(ask(&daemon, &read), format!("read failed: {REFUSED}"));
}

#[test]
fn what_is_declared_to_be_read_is_read_and_not_written() {
    let place = Place::new();
    let Some(daemon) = reach(&format!("read = ['{}']", place.text(""))) else { return };
    let secret = place.text("secret");
    assert_eq!(ask(&daemon, &format!("read {secret}")), "read: it is secret");
    assert_eq!(ask(&daemon, &format!("list {}", place.text(""))), "list: 1");
    assert_eq!(ask(&daemon, &format!("append {secret}")), format!("append failed: {REFUSED}"));
    assert_eq!(ask(&daemon, &format!("remove {secret}")), format!("remove failed: {REFUSED}"));
}

#[test]
fn what_is_declared_to_be_written_is_made_written_and_removed() {
    let place = Place::new();
    let Some(daemon) = reach(&format!("write = ['{}']", place.text(""))) else { return };
    for deed in ["make", "append", "read", "remove"] {
        let answer = ask(&daemon, &format!("{deed} {}", place.text("new")));
        assert!(answer.starts_with(&format!("{deed}: ")), "{answer}");
    }
}

#[test]
fn a_file_that_is_declared_lets_nobody_at_its_neighbours() {
    let place = Place::new();
    place.file("other", "", 0o666);
    let Some(daemon) = reach(&format!("write = ['{}']", place.text("other"))) else { return };
    assert_eq!(ask(&daemon, &format!("append {}", place.text("other"))), "append: 1");
    let secret = ask(&daemon, &format!("read {}", place.text("secret")));
    assert_eq!(secret, format!("read failed: {REFUSED}"));
}

#[test]
fn a_program_runs_only_where_that_is_declared() {
    let place = Place::new();
    place.file("script", "#!/bin/sh\nexit 7\n", 0o755);
    let (script, config) = (place.text("script"), "run = ['/bin/true']");
    let Some(daemon) = reach(config) else { return };
    assert_eq!(ask(&daemon, "run /bin/true"), "run: exit status: 0");
    assert_eq!(ask(&daemon, "run /bin/false"), format!("run failed: {REFUSED}"));
    assert_eq!(ask(&daemon, &format!("run {script}")), format!("run failed: {REFUSED}"));
    let daemon = reach(&format!("run = ['{script}']")).expect("as before");
    assert_eq!(ask(&daemon, &format!("run {script}")), "run: exit status: 7");
    let secret = place.text("secret");
    place.file("script", &format!("#!/bin/sh\nread line < {secret}\n"), 0o755);
    assert_ne!(ask(&daemon, &format!("run {script}")), "run: exit status: 0", "it inherits");
}

#[test]
fn the_rules_stand_before_the_first_byte_and_in_the_runner_and_not_for_the_daemons_events() {
    let place = Place::new();
    let read = format!("read {}", place.text("secret"));
    let deeds = ["core.startup", "core.connect", "core.exit", "core.shutdown"]
        .map(|event| format!("'{event} {read}'"));
    let Some(mut daemon) = reach(&format!("deeds = [{}]", deeds.join(", "))) else { return };
    let client = greeted(&daemon);
    Process(daemon.session_pid()).signal(Signal::SIGKILL);
    let exit = daemon.wait_exit();
    assert_eq!((exit.outcomes(), exit.by()), ("done".to_owned(), "runner".to_owned()));
    drop(client);
    daemon.stop();
    let (seen, refused) = ("reach read: it is secret", format!("reach read failed: {REFUSED}"));
    assert_eq!(daemon.trace(), [seen, &refused, &refused, seen]);
}

#[test]
fn control_actions_keep_to_the_same_rules() {
    let place = Place::new();
    let Some(daemon) = reach("") else { return };
    let answer = daemon.exeunt(&["ctl", "reach", "reach", "read", &place.text("secret")]);
    assert_eq!(answer.stdout.trim(), format!("read failed: {REFUSED}"));
}

#[test]
fn a_session_cannot_signal_others_of_its_user() {
    let Some(daemon) = reach("") else { return };
    let mut client = greeted(&daemon);
    let own = daemon.session_pid();
    let spare = || Process::below(daemon.zygote()).into_iter().find(|process| process.0 != own);
    wait_until(|| spare().is_some_and(|spare| !spare.is_dumpable()));
    client.ask(&format!("signal {own}"), "signal: there");
    let other = spare().expect("a spare");
    client.ask(&format!("signal {}", other.0), "signal failed: Operation not permitted");
}

#[test]
fn the_rules_themselves_are_out_of_reach() {
    // A session lets nobody else look at its descriptors.
    if !needs_root() {
        return;
    }
    let Some(daemon) = reach("") else { return };
    let _client = greeted(&daemon);
    let open = Process(daemon.session_pid()).descriptors();
    assert!(!open.iter().any(|name| name.contains("landlock")), "{open:?}");
    let zygote = Process(daemon.zygote()).descriptors();
    assert!(zygote.iter().any(|name| name.contains("landlock")), "{zygote:?}");
}

#[test]
fn what_is_declared_is_shown() {
    let place = Place::new();
    let setup = Setup::new().file("srv/a", "").module_with("ftp", "root = 'srv'");
    let config = format!("read = ['{}']\nrun = ['/bin/true']", place.text("secret"));
    let daemon = setup.module_with("reach", &config).listen("ftp").start();
    let text = daemon.exeunt(&["listeners"]).stdout;
    let (root, trace, secret) = (daemon.path("srv"), daemon.path("trace"), place.text("secret"));
    let shown = format!(
        "files beside the system's that sessions may touch\n     write  {}  (ftp)\n     \
         write  {}  (reach)\n     read   {secret}  (reach)\n     run    /bin/true  (reach)\n",
        root.display(),
        trace.display()
    );
    assert!(text.ends_with(&shown), "{text}");
    let access = &daemon.json("listeners")["access"][3];
    assert_eq!(
        *access,
        serde_json::json!({"module": "reach", "access": "run", "path": "/bin/true"})
    );
}
