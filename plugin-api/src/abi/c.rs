//! Layer 1 for C: what `include/exeunt.h` declares, as Rust sees it. The numbers and sizes here and
//! there are compared by the header's static asserts and by the test `c_header`.

use std::ffi::c_void;
use std::mem::offset_of;

use super::{Handle, Host, MAJOR, MINOR, Str};

/// The symbol of a [`CModule`] in the `.so` of a module that is written in C.
pub const C_SYMBOL: &str = "exeunt_module";

/// The first eight bytes of a [`CModule`], read as a number: `EXEUNT_MAGIC` of the header.
pub const C_MAGIC: u64 = 0x6578_6575_6e74_0a01;

/// The host's functions as C gets them, `struct exeunt_host`. It grows only at its end.
#[repr(C)]
pub struct CHost {
    /// The size in bytes of what this host offers: a function that ends beyond it does not exist.
    pub size: u32,
    /// The interface's major version.
    pub major: u32,
    /// The interface's minor version.
    pub minor: u32,
    /// Zero.
    pub reserved: u32,
    /// The very same functions as a Rust module gets.
    pub functions: Host,
}

impl CHost {
    /// The table for C of these functions.
    #[must_use]
    pub const fn new(functions: Host) -> Self {
        Self { size: size_of::<Self>() as u32, major: MAJOR, minor: MINOR, reserved: 0, functions }
    }
}

/// What a C module exports under [`C_SYMBOL`], `struct exeunt_module`. It grows only at its end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CModule {
    /// [`C_MAGIC`].
    pub magic: u64,
    /// The size in bytes of the struct that the module was compiled with.
    pub size: u32,
    /// The interface's major version that it was compiled for.
    pub major: u32,
    /// The minor version.
    pub minor: u32,
    /// Zero.
    pub reserved: u32,
    /// The module's name, the same as in its note and its file name.
    pub name: Str,
    /// The module's own version.
    pub version: Str,
    /// Called once, in the zygote: the host's functions and the registrar. Returns a status code.
    pub init: Option<unsafe extern "C" fn(*const CHost, Handle) -> i32>,
}

// What C compilers were told once stays where it is.
const _: () = {
    let word = size_of::<*const c_void>();
    assert!(offset_of!(CHost, functions) == 16);
    assert!(offset_of!(Host, log) == 0 && offset_of!(Host, fail_at) == 2 * word);
    assert!(offset_of!(Host, value_kind) == 3 * word && offset_of!(Host, value_put) == 15 * word);
    assert!(offset_of!(Host, settings) == 16 * word);
    assert!(offset_of!(Host, open_directory) == 22 * word);
    assert!(offset_of!(Host, fact_str) == 23 * word && offset_of!(Host, state_write) == 28 * word);
    assert!(offset_of!(Host, session_wait) == 29 * word && offset_of!(Host, farewell) == 37 * word);
    assert!(offset_of!(Host, register_counter) == 38 * word);
    assert!(offset_of!(Host, reserved) == 53 * word);
    assert!(offset_of!(CModule, name) == 24 && offset_of!(CModule, version) == 24 + 2 * word);
    assert!(offset_of!(CModule, init) == 24 + 4 * word && size_of::<CModule>() == 24 + 5 * word);
};
