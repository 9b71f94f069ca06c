//! Which module's code runs now, and about what: a stack of frames, one for each callback that was
//! entered. A handle is valid while its frame is on the stack; text and values that a callback was
//! given live as long as its frame.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use exeunt_api::abi::{Handle, Str, status};

use super::facts::Subject;
use super::values;
use crate::config::Node;
use crate::events::Plan;

/// What a callback is entered for.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// The index of the module in the plan.
    pub(crate) module: usize,
    /// The module's name.
    pub(crate) name: &'a str,
    /// The event, or what else the callback is for.
    pub(crate) event: &'a str,
    /// The session that it is about.
    pub(crate) subject: Option<&'static Subject>,
    /// What came with the event.
    pub(crate) payload: Option<Handle>,
    /// Whether a final reply may be given.
    pub(crate) farewell: bool,
    /// How often this listener was entered for this end.
    pub(crate) attempt: u32,
    /// What all attempts have in common.
    pub(crate) token: Option<&'a str>,
    /// What it is about beside the session.
    pub(crate) matter: Option<&'a Matter>,
}

/// A command that a protocol dispatched, as hooks see it.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) verb: String,
    pub(crate) argument: Option<String>,
    /// The bit of its class.
    pub(crate) class: u32,
    /// How it went, as a status, and the reply if there is one; nothing before it was tried.
    pub(crate) told: RefCell<Option<(i32, Option<String>)>>,
}

/// What a client claims, as authenticators see it.
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) secret: String,
}

/// What a callback may be about beside its session.
#[derive(Clone)]
pub(crate) enum Matter {
    Command(Rc<Command>),
    Credentials(Rc<Credentials>),
}

/// What a callback answered: a number and a value, of which the callback's kind says what they are.
pub(crate) type Given = (i32, Option<Node>);

impl<'a> Entry<'a> {
    /// An entry of a module of the plan for an event, about nothing.
    pub(crate) fn of(plan: &'a Plan, module: usize, event: &'a str) -> Self {
        let name = &plan.modules[module].name;
        Self {
            module,
            name,
            event,
            subject: None,
            payload: None,
            farewell: false,
            attempt: 1,
            token: None,
            matter: None,
        }
    }
}

/// How a callback returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Without error.
    Done,
    /// Because the session is to end.
    Ending,
    /// It denies, and why.
    Denied(String),
    /// With an error.
    Failed(String),
}

impl Outcome {
    /// Why a callback that was asked for something about a session has nothing to give, if it has not.
    pub(crate) fn or_why(self) -> Result<(), String> {
        match self {
            Self::Done => Ok(()),
            Self::Ending => Err("it says that the session is ending".to_owned()),
            Self::Failed(why) | Self::Denied(why) => Err(why),
        }
    }
}

struct Frame {
    serial: u32,
    module: usize,
    name: Box<str>,
    event: Box<str>,
    subject: Option<&'static Subject>,
    payload: Option<Handle>,
    farewell: bool,
    attempt: u32,
    token: Option<Box<str>>,
    matter: Option<Matter>,
    answer: Option<Given>,
    error: Option<String>,
    texts: Vec<Box<str>>,
}

thread_local! {
    static FRAMES: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
    static SERIAL: Cell<u32> = const { Cell::new(0) };
}

/// The kinds of handles that name a frame, in the handle's index.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// What the callback is about.
    Subject = 1,
    /// The living session that it is about.
    Living = 2,
    /// The registrar.
    Registrar = 3,
}

/// Runs a callback of a module in a frame of its own.
pub(crate) fn enter(entry: Entry<'_>, call: impl FnOnce(Handle) -> i32) -> Outcome {
    ask(entry, call).0
}

/// Runs a callback of a module in a frame of its own; with its answer, if it gave one.
pub(crate) fn ask(entry: Entry<'_>, call: impl FnOnce(Handle) -> i32) -> (Outcome, Option<Given>) {
    enter_as(entry, Name::Subject, call)
}

pub(super) fn enter_as(
    entry: Entry<'_>,
    name: Name,
    call: impl FnOnce(Handle) -> i32,
) -> (Outcome, Option<Given>) {
    let serial = SERIAL.get().wrapping_add(1).max(1);
    SERIAL.set(serial);
    let frame = Frame {
        serial,
        module: entry.module,
        name: entry.name.into(),
        event: entry.event.into(),
        subject: entry.subject,
        payload: entry.payload,
        farewell: entry.farewell,
        attempt: entry.attempt,
        token: entry.token.map(Into::into),
        matter: entry.matter.cloned(),
        answer: None,
        error: None,
        texts: Vec::new(),
    };
    let values = values::mark();
    FRAMES.with_borrow_mut(|frames| frames.push(frame));
    let code = call(Handle { index: name as u32, generation: serial });
    let frame = FRAMES.with_borrow_mut(Vec::pop);
    let (error, answer) = frame.map_or((None, None), |frame| (frame.error, frame.answer));
    values::release(values);
    let outcome = match code {
        status::OK.. => Outcome::Done,
        status::ENDING => Outcome::Ending,
        status::DENIED => Outcome::Denied(error.unwrap_or_else(|| "no reason given".to_owned())),
        status::PANICKED => Outcome::Failed(error.unwrap_or_else(|| "panicked".to_owned())),
        code => Outcome::Failed(error.unwrap_or_else(|| format!("failed with status {code}"))),
    };
    (outcome, answer)
}

/// The frame on top, if a callback is running.
fn top<T>(read: impl FnOnce(&mut Frame) -> T) -> Option<T> {
    FRAMES.with_borrow_mut(|frames| frames.last_mut().map(read))
}

/// The frame that a handle names.
fn named<T>(handle: Handle, name: Name, read: impl FnOnce(&mut Frame) -> T) -> Result<T, i32> {
    FRAMES.with_borrow_mut(|frames| {
        let frame = frames.iter_mut().rev().find(|frame| frame.serial == handle.generation);
        match frame {
            Some(frame) if handle.index == name as u32 => Ok(read(frame)),
            _ => Err(status::BAD_HANDLE),
        }
    })
}

/// The module whose code runs, and the id of the session that it is about.
pub(crate) fn inside() -> Option<(String, String)> {
    top(|frame| {
        let about = frame.subject.map(|subject| subject.about.id.clone()).unwrap_or_default();
        (frame.name.to_string(), about)
    })
}

/// The index of the module whose code runs.
pub(super) fn module() -> Result<usize, i32> {
    top(|frame| frame.module).ok_or(status::BAD_PHASE)
}

/// Keeps the error text of the running callback.
pub(super) fn fail(text: &str) -> Result<(), i32> {
    top(|frame| frame.error = Some(text.to_owned())).ok_or(status::BAD_PHASE)
}

/// Whether the handle names the registrar of a running init.
pub(super) fn is_registrar(handle: Handle) -> Result<(), i32> {
    named(handle, Name::Registrar, |_| ()).map_err(|_| status::BAD_PHASE)
}

/// What a frame of a subject or living handle is about.
pub(super) struct Seen {
    pub(super) subject: Option<&'static Subject>,
    pub(super) payload: Option<Handle>,
    pub(super) farewell: bool,
    pub(super) attempt: u32,
    pub(super) matter: Option<Matter>,
}

/// What the handle's callback is about; both the event's and the living session's handle lead there.
pub(super) fn seen(handle: Handle) -> Result<Seen, i32> {
    let see = |frame: &mut Frame| Seen {
        subject: frame.subject,
        payload: frame.payload,
        farewell: frame.farewell,
        attempt: frame.attempt,
        matter: frame.matter.clone(),
    };
    named(handle, Name::Subject, see).or_else(|_| named(handle, Name::Living, see))
}

/// Takes the answer of the callback that was entered with this handle; the last counts.
pub(super) fn answer(about: Handle, given: Given) -> Result<(), i32> {
    named(about, Name::Subject, |frame| frame.answer = Some(given))
}

/// The name of the event that the handle's callback is for.
pub(super) fn event(handle: Handle) -> Result<String, i32> {
    named(handle, Name::Subject, |frame| frame.event.to_string())
        .or_else(|_| named(handle, Name::Living, |frame| frame.event.to_string()))
}

/// What all attempts of the listener that the handle's callback is have in common.
pub(super) fn token(handle: Handle) -> Result<String, i32> {
    let token = |frame: &mut Frame| frame.token.as_deref().map(str::to_owned);
    named(handle, Name::Subject, token)
        .or_else(|_| named(handle, Name::Living, token))?
        .ok_or(status::NONE)
}

/// The handle of the living session for the callback that `handle` belongs to.
pub(super) fn living(handle: Handle) -> Option<Handle> {
    let subject = seen(handle).ok()?.subject?;
    subject.living.get()?;
    Some(Handle { index: Name::Living as u32, ..handle })
}

/// Keeps a text until the running callback returns.
pub(super) fn keep(text: String) -> Result<Str, i32> {
    top(|frame| {
        frame.texts.push(text.into());
        frame.texts.last().map_or(Str::NONE, |text| Str::new(text))
    })
    .ok_or(status::BAD_PHASE)
}
