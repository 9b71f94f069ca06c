//! A module written against the bare interface, without the SDK, that registers what no author could
//! register with it. Its one setting `how` says what: `null-callback`, `foreign-callback`,
//! `data-callback`, `late-registration`, `large-state`, or nothing of the kind.

#![allow(unsafe_code, reason = "the bare interface is made of raw pointers")]

use std::ffi::c_void;
use std::sync::OnceLock;

use exeunt_api::abi::{
    Call, Callback, Constructed, Handle, Header, HostRef, Note, Root, Str, constructed, header,
    join, joined_len, status,
};

const PARTS: &[&str] = &[
    "abi=0.1\nname=raw\nversion=",
    env!("CARGO_PKG_VERSION"),
    "\ncompiler=rustc\nschema={\"fields\":[]}",
];

#[used]
#[unsafe(link_section = ".note.exeunt")]
static NOTE: Note<{ joined_len(PARTS) }> = Note::new(join(PARTS));

// SAFETY: `construct` returns what `constructed` made.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "the symbol's name is part of the interface")]
static exeunt_module_header: Header = unsafe { header(construct) };

extern "C" fn construct() -> Constructed {
    constructed(Root { name: Str::new("raw"), version: Str::new(env!("CARGO_PKG_VERSION")), init })
}

/// What init was called with, kept beyond its end as no SDK would.
struct Kept {
    host: HostRef,
    registrar: Handle,
}

// SAFETY: the host's table is never written to.
unsafe impl Sync for Kept {}
// SAFETY: as above.
unsafe impl Send for Kept {}

static KEPT: OnceLock<Kept> = OnceLock::new();

/// Registers the listener `raw`, as `how` wants it. What the host answers is ignored: a careless
/// module must be refused nevertheless.
unsafe extern "C" fn init(host: HostRef, registrar: Handle) -> i32 {
    let kept = KEPT.get_or_init(|| Kept { host, registrar });
    let call: Option<Call> = match setting(kept, "how") {
        Some("null-callback") => None,
        // SAFETY: the pointer is never called: the host has to refuse it.
        Some("foreign-callback") => Some(unsafe { call_at(getpid as *const c_void) }),
        // SAFETY: as above.
        Some("data-callback") => Some(unsafe { call_at((&raw const NOTE).cast()) }),
        Some("late-registration") => Some(register_again),
        _ => Some(agree),
    };
    if setting(kept, "how") == Some("large-state") {
        // SAFETY: the host checks the handle.
        unsafe { kept.host.register_state()(kept.registrar, 257) };
    }
    register(kept, "raw", call);
    status::OK
}

/// # Safety
///
/// What is returned must not be called unless a callback is at `address`, which must not be null.
unsafe fn call_at(address: *const c_void) -> Call {
    // SAFETY: a function pointer may be made from any address that is not null; see above.
    unsafe { std::mem::transmute::<*const c_void, Call>(address) }
}

unsafe extern "C" {
    fn getpid() -> i32;
}

fn setting(kept: &Kept, name: &str) -> Option<&'static str> {
    let mut text = Str::NONE;
    // SAFETY: init is running, and the host checks the handle.
    let settings = unsafe { kept.host.settings()(kept.registrar) };
    // SAFETY: the host checks the handle and only reads the name.
    let value = unsafe { kept.host.value_get()(settings, Str::new(name)) };
    // SAFETY: `text` may be written to.
    let answer = unsafe { kept.host.value_str()(value, &raw mut text) };
    // SAFETY: the host's text lives until init returns, and is not used after that.
    if answer == status::OK { unsafe { text.get() } } else { None }
}

fn register(kept: &Kept, name: &str, call: Option<Call>) -> i32 {
    let callback = Callback { call, user: std::ptr::null_mut() };
    let register = kept.host.register_listener();
    // SAFETY: the host copies the texts and checks the callback.
    unsafe { register(kept.registrar, Str::new("core.exit"), Str::new(name), callback) }
}

unsafe extern "C" fn agree(_user: *mut c_void, _exit: Handle) -> i32 {
    status::OK
}

/// Tries to register another listener long after init, and returns what the host said.
unsafe extern "C" fn register_again(_user: *mut c_void, _exit: Handle) -> i32 {
    KEPT.get().map_or(status::NONE, |kept| register(kept, "late", Some(agree)))
}
