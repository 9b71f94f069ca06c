//! Registration: the functions that work only while a module's init runs. The registrar's handle dies
//! with init, so that a module that keeps it has nothing.

use std::cell::RefCell;
use std::fs::File;
use std::ops::Range;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use exeunt_api::abi::{Callback, Handle, Phase, Place, ProtocolTable, status};

use super::frames::{self, Entry, Name, Outcome};
use super::values::{self, ValueStore};
use crate::config::Node;
use crate::events::{ModulePlan, Pattern, Registration, Registry, Wish};
use crate::modules::Loaded;

/// Where a module initialises: what the operator wrote for it.
pub(crate) struct Site {
    /// Relative paths of the settings begin here.
    pub(crate) folder: PathBuf,
    /// The module's settings.
    pub(crate) config: Rc<Node>,
    /// Every listen: its protocol and what is laid over the settings.
    pub(crate) listens: Vec<(String, Option<Node>)>,
}

/// Something that is wrong with a module's init.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) text: String,
    /// Where in `modules.toml`, if at a place.
    pub(crate) span: Option<Range<usize>>,
    pub(crate) hint: Option<String>,
}

/// What init brought beside registrations.
pub(crate) struct Initialised {
    pub(crate) registry: Registry,
    pub(crate) problems: Vec<Problem>,
    /// Directories and files that the module asked for: open in every process of the generation.
    pub(crate) opened: Vec<OwnedFd>,
}

struct Running {
    registry: Registry,
    code: &'static Loaded,
    site: Site,
    problems: Vec<Problem>,
    opened: Vec<OwnedFd>,
}

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// Runs a module's init. Whatever it did wrong is in the problems; a registration that was refused is
/// one, even if the module did not look.
pub(crate) fn initialise(
    mut registry: Registry,
    code: &'static Loaded,
    module: ModulePlan,
    site: Site,
) -> Option<Initialised> {
    let name = module.name.clone();
    registry.begin(module);
    let running = Running { registry, code, site, problems: Vec::new(), opened: Vec::new() };
    RUNNING.set(Some(running));
    let entry = Entry {
        module: usize::MAX,
        name: &name,
        event: "init",
        subject: None,
        payload: None,
        farewell: false,
        attempt: 1,
        token: None,
        matter: None,
    };
    let (outcome, _) = frames::enter_as(entry, Name::Registrar, |registrar| {
        code.init(super::table, super::c_table, registrar)
    });
    let Running { registry, mut problems, opened, .. } = RUNNING.take()?;
    // A refused registration or setting is already told; the error that it led to would be noise.
    if let (Outcome::Failed(why) | Outcome::Denied(why), true) = (&outcome, problems.is_empty()) {
        let text = format!("its init failed: {why}");
        problems.push(Problem { text, span: None, hint: None });
    }
    Some(Initialised { registry, problems, opened })
}

/// Works on the running init that the registrar's handle belongs to.
fn running<T>(
    registrar: Handle,
    work: impl FnOnce(&mut Running) -> Result<T, i32>,
) -> Result<T, i32> {
    frames::is_registrar(registrar).inspect_err(|_| late())?;
    RUNNING.with_borrow_mut(|running| running.as_mut().map_or(Err(status::BAD_PHASE), work))
}

/// A registration outside init changes nothing; the log says who tried.
fn late() {
    if let Some((module, session)) = frames::inside() {
        let text = "a registration was refused: callbacks are registered once, during init";
        let _kept = frames::fail(text);
        crate::log::line(crate::config::Level::Error, &session, &module, text);
    }
}

fn register<T>(
    registrar: Handle,
    work: impl FnOnce(&mut Registry, &'static Loaded) -> Registration<T>,
) -> Result<T, i32> {
    running(registrar, |running| {
        work(&mut running.registry, running.code).map_err(|(code, text)| {
            running.problems.push(Problem { text, span: None, hint: None });
            code
        })
    })
}

pub(super) fn listener(
    registrar: Handle,
    event: &str,
    name: &str,
    wish: Wish,
    callback: Callback,
) -> Result<(), i32> {
    register(registrar, |registry, code| {
        registry.listener(event, name, wish, callback, |address| code.holds_code(address))
    })
}

pub(super) fn protocol(
    registrar: Handle,
    name: &str,
    table: Option<ProtocolTable>,
    refusal: Option<&str>,
) -> Result<(), i32> {
    let table = table.ok_or(status::BAD_ARGUMENT)?;
    let refusal = refusal.map(str::to_owned);
    register(registrar, |registry, code| {
        registry.protocol(name, table, refusal, |address| code.holds_code(address))
    })
}

pub(super) fn declare_event(registrar: Handle, name: &str, version: u32) -> Result<(), i32> {
    register(registrar, |registry, _| registry.event(name, version))
}

pub(super) fn state(registrar: Handle, size: u32) -> Result<(), i32> {
    register(registrar, |registry, _| registry.state(size))
}

pub(super) fn counter(registrar: Handle, name: &str, labels: &[&str]) -> Result<i32, i32> {
    register(registrar, |registry, _| registry.counter(name, labels))
}

pub(super) fn timer(registrar: Handle, name: &str, callback: Callback) -> Result<(), i32> {
    register(registrar, |registry, code| {
        registry.timer(name, callback, |address| code.holds_code(address))
    })
}

pub(super) fn hook(
    registrar: Handle,
    phase: Phase,
    pattern: Pattern,
    name: &str,
    callback: Callback,
) -> Result<(), i32> {
    register(registrar, |registry, code| {
        registry.hook(phase, pattern, name, callback, |address| code.holds_code(address))
    })
}

pub(super) fn command(registrar: Handle, verb: &str, callback: Callback) -> Result<(), i32> {
    register(registrar, |registry, code| {
        registry.command(verb, callback, |address| code.holds_code(address))
    })
}

pub(super) fn authenticator(
    registrar: Handle,
    name: &str,
    place: Option<Place>,
    callback: Callback,
) -> Result<(), i32> {
    register(registrar, |registry, code| {
        registry.authenticator(name, place, callback, |address| code.holds_code(address))
    })
}

pub(super) fn control(registrar: Handle, action: &str, callback: Callback) -> Result<(), i32> {
    register(registrar, |registry, code| {
        registry.control(action, callback, |address| code.holds_code(address))
    })
}

pub(super) fn settings(registrar: Handle) -> Option<Handle> {
    let config = running(registrar, |running| Ok(Rc::clone(&running.site.config))).ok()?;
    ValueStore::lend(&config)
}

pub(super) fn listen_settings(registrar: Handle, protocol: &str, index: u32) -> Option<Handle> {
    let merged = running(registrar, |running| {
        let mut listens = running.site.listens.iter().filter(|(name, _)| name == protocol);
        let (_, over) = listens.nth(index as usize).ok_or(status::NONE)?;
        let own = &running.site.config;
        Ok(over.as_ref().map_or_else(|| Rc::clone(own), |over| Rc::new(own.overlay(over))))
    });
    ValueStore::lend(&merged.ok()?)
}

pub(super) fn fail_at(value: Handle, text: &str, hint: Option<&str>) -> Result<(), i32> {
    let span = values::span(value)?;
    RUNNING.with_borrow_mut(|running| {
        let running = running.as_mut().ok_or(status::BAD_PHASE)?;
        let (text, hint) = (text.to_owned(), hint.map(str::to_owned));
        running.problems.push(Problem { text, span: Some(span), hint });
        Ok(())
    })
}

pub(super) fn open_directory(registrar: Handle, path: &str) -> Result<i32, i32> {
    open(registrar, path, "directory", libc::O_DIRECTORY)
}

pub(super) fn open_file(registrar: Handle, path: &str) -> Result<i32, i32> {
    // Opening must not wait for the other end of a FIFO.
    open(registrar, path, "file", libc::O_NONBLOCK)
}

fn open(registrar: Handle, path: &str, what: &str, flags: i32) -> Result<i32, i32> {
    let opened = running(registrar, |running| {
        let path = running.site.folder.join(path);
        let opened = open_plain(&path, flags).map(|file| {
            let number = file.as_raw_fd();
            running.opened.push(file.into());
            number
        });
        Ok(opened.map_err(|e| format!("the {what} `{}` cannot be opened: {e}", path.display())))
    })?;
    opened.map_err(|why| {
        let _kept = frames::fail(&why);
        status::FAILED
    })
}

/// Opens what is a directory or a plain file.
fn open_plain(path: &Path, flags: i32) -> std::io::Result<File> {
    let file = File::options().read(true).custom_flags(flags | libc::O_CLOEXEC).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() || flags & libc::O_DIRECTORY != 0 {
        return Ok(file);
    }
    Err(std::io::Error::other(if kind.is_dir() {
        "it is a directory"
    } else {
        "it is no plain file"
    }))
}
