//! What a Rust module exports: abi_stable's header under [`SYMBOL`], which leads to a [`Root`].
//! Only this file and the host's loader name abi_stable's library types.

use std::ffi::c_void;

use abi_stable::StableAbi;
use abi_stable::library::{CheckTypeLayout, LibHeader, RootModule, RootModuleResult};
use abi_stable::marker_type::ErasedPrefix;
use abi_stable::package_version_strings;
use abi_stable::prefix_type::{PrefixRefTrait, PrefixTypeTrait};
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::RResult;

use super::{Handle, HostRef, Str};

/// The symbol of the header in a Rust module's `.so`.
pub const SYMBOL: &str = "exeunt_module_header";

/// A module, as the host sees it. It grows only at its end.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = RootRef)))]
#[sabi(missing_field(panic))]
pub struct Root {
    /// The module's name, the same as in its note and its file name.
    pub name: Str,
    /// The module's own version.
    pub version: Str,
    /// Called once, in the zygote: the host's functions and the registrar. Returns a status code.
    #[sabi(last_prefix_field)]
    pub init: unsafe extern "C" fn(HostRef, Handle) -> i32,
}

impl RootModule for RootRef {
    abi_stable::declare_root_module_statics! {RootRef}
    const BASE_NAME: &'static str = "exeunt_module";
    const NAME: &'static str = "exeunt module";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// What a Rust module exports under [`SYMBOL`].
pub type Header = LibHeader;

/// What the function in a [`Header`] returns: a [`RootRef`], erased.
pub type Constructed = RootModuleResult;

/// The header that `export_module!` exports.
///
/// # Safety
///
/// `constructor` must return what [`constructed`] made.
#[must_use]
pub const unsafe fn header(constructor: extern "C" fn() -> Constructed) -> Header {
    // SAFETY: the caller vouches for what the constructor returns.
    unsafe { LibHeader::from_constructor::<RootRef>(constructor, CheckTypeLayout::Yes) }
}

/// A module's root as the constructor in its [`Header`] returns it. It is never freed.
#[must_use]
pub fn constructed(root: Root) -> Constructed {
    let root = root.leak_into_prefix().to_prefix_ref();
    // SAFETY: the erased type has no fields; the host casts back only after it compared the layouts.
    RResult::ROk(unsafe { root.cast::<ErasedPrefix>() })
}

/// A protocol, as `register_protocol` takes it. Both functions must lie in the module.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct ProtocolTable {
    /// Serves a session from its first byte to its end: `user`, then the session's handle. Required.
    pub serve: Option<unsafe extern "C" fn(*mut c_void, Handle) -> i32>,
    /// Asked for the final reply when the session ends: `user`, then a handle with the facts of the
    /// end, for which `farewell` may be called. May be null.
    pub farewell: Option<unsafe extern "C" fn(*mut c_void, Handle) -> i32>,
    /// Passed to both.
    pub user: *mut c_void,
    /// Sent to a client that is turned away because the daemon is full; may be [`Str::NONE`].
    pub refusal: Str,
}
