//! A host inside the test's own thread: it keeps values, remembers what it is told, and lends a socket
//! pair as the client's connection. It checks nothing: the real host's checks are tested there.

mod offer;
mod values;

use std::cell::RefCell;
use std::os::unix::net::UnixStream;

use super::{Held, adopt};
use crate::abi::{self, Callback, Fact, Handle, ProtocolTable};
use crate::session::Session;
use crate::value::Value;

/// The handle of everything that is not a value.
const HANDLE: Handle = Handle { index: 0, generation: 2 };

/// What the host of this thread knows.
#[derive(Default)]
pub(crate) struct Fake {
    values: Vec<values::Node>,
    settings: Option<Handle>,
    listens: Vec<Handle>,
    connection: Option<UnixStream>,
    state: Vec<u8>,
    facts: Vec<(Fact, &'static str)>,
    /// Whether the session is to end.
    pub(crate) ending: bool,
    /// How often the host looked at the session.
    pub(crate) looks: u32,
    pub(crate) bytes: (u64, u64),
    /// The problems that settings have: the value, the problem, the hint.
    pub(crate) problems: Vec<(String, String, String)>,
    pub(crate) logged: Vec<String>,
    pub(crate) failed: Vec<String>,
    /// Causes that were committed, and events that were generated with their payload.
    pub(crate) ended: Vec<String>,
    pub(crate) generated: Vec<String>,
    pub(crate) farewells: Vec<String>,
    pub(crate) listeners: Vec<(String, Callback)>,
    pub(crate) protocols: Vec<ProtocolTable>,
    /// What else was registered, and what was done with it.
    pub(crate) registered: Vec<String>,
    pub(crate) done: Vec<String>,
    pub(crate) callbacks: Vec<Callback>,
    /// What `command_begin` returns.
    pub(crate) begun: i32,
    /// What came with an event or a call.
    pub(crate) payload: Option<Handle>,
    /// What `authenticate` finds.
    pub(crate) account: Option<Handle>,
}

thread_local! {
    static FAKE: RefCell<Fake> = RefCell::default();
}

/// Makes this thread's fake the host of the process (all threads share the functions, none the data).
pub(crate) fn install() {
    adopt(abi::offer::<Fake>());
}

/// Looks at, or changes, what this thread's host knows.
pub(crate) fn with<T>(f: impl FnOnce(&mut Fake) -> T) -> T {
    FAKE.with_borrow_mut(f)
}

/// A value of the host.
pub(crate) fn value(what: &impl serde::Serialize) -> Value<'static> {
    install();
    Value::build(what).unwrap()
}

/// The module's own settings, and those of each listen.
pub(crate) fn settings(own: &impl serde::Serialize, listens: &[serde_json::Value]) {
    let own = value(own).held().handle;
    let listens = listens.iter().map(|listen| value(listen).held().handle).collect();
    with(|fake| (fake.settings, fake.listens) = (Some(own), listens));
}

/// A fact of the session.
pub(crate) fn fact(fact: Fact, text: &'static str) {
    with(|fake| fake.facts.push((fact, text)));
}

/// A session, and the client's end of its connection.
pub(crate) fn session() -> (Session<'static>, UnixStream) {
    install();
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    with(|fake| fake.connection = Some(ours));
    (Session::new(held()).unwrap(), theirs)
}

/// A handle of everything that is not a value.
pub(crate) fn held() -> Held<'static> {
    Held::new(HANDLE)
}

/// The handle as a callback gets it.
pub(super) fn handle() -> Handle {
    HANDLE
}
