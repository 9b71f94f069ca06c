//! Layer 0 and 1 of the interface: what crosses the border between the host and a module.
//!
//! Plain data and function types with a fixed layout live here, and the two prefix structs that may
//! only grow at their end: [`Host`], the functions that the host offers, and [`Root`], what a module
//! exports. Nothing here is meant for the author of a Rust module, who uses the crate's prelude; the
//! host and the C header are built on it.
//!
//! Rules: a function states in brackets where it may be called; a fact is read through an accessor
//! and never becomes a field; function types have no parameter names (abi_stable counts them as part
//! of the layout).

#![allow(unsafe_code, reason = "the border to foreign code")]

mod border;
mod c;
mod host;
mod note;
mod numbers;
mod offer;
mod root;
mod types;

pub use c::{C_MAGIC, C_SYMBOL, CHost, CModule};
pub use host::{Host, HostRef};
pub use note::{NOTE_NAME, NOTE_SECTION, NOTE_TYPE, Note, join, joined_len};
pub use numbers::{
    Begun, Class, Fact, Interest, Kind, Level, Phase, Place, Station, Transferring, Verdict, status,
};
pub use offer::{Answer, Offer, offer, offer_to_c};
pub use root::{Constructed, Header, ProtocolTable, Root, RootRef, SYMBOL, constructed, header};
pub use types::{Bytes, Call, Callback, Handle, Str, Waiting};

/// The interface's major version: equal ones are required of host and module.
pub const MAJOR: u32 = 0;
/// The interface's minor version: while [`MAJOR`] is 0 equal ones are required.
pub const MINOR: u32 = 1;
