//! The plain data that crosses the border. No function of the host and no policy lives here.

use std::ffi::c_void;

use abi_stable::StableAbi;

/// UTF-8 text that somebody else owns, valid until the call that it was passed to (or the callback
/// in which it was received) returns. A null pointer means "no text".
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct Str {
    ptr: *const u8,
    len: usize,
}

// SAFETY: the bytes behind it are only read, and only through `get`, whose caller vouches for them.
unsafe impl Sync for Str {}
// SAFETY: as above.
unsafe impl Send for Str {}

impl Str {
    /// No text: a null pointer.
    pub const NONE: Self = Self { ptr: std::ptr::null(), len: 0 };

    /// Lends `text` across the border.
    #[must_use]
    pub const fn new(text: &str) -> Self {
        Self { ptr: text.as_ptr(), len: text.len() }
    }

    /// Where the text begins; whether anything is there is not looked at.
    #[must_use]
    pub fn address(self) -> usize {
        self.ptr.addr()
    }

    /// How many bytes it has, as its owner says.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "what is empty is a null pointer or a length")]
    pub const fn len(self) -> usize {
        self.len
    }

    /// The text, or `None` if the pointer is null, the length absurd or the bytes not UTF-8.
    ///
    /// # Safety
    ///
    /// If the pointer is not null, `len` bytes behind it must be readable and unchanged for `'a`.
    #[must_use]
    pub unsafe fn get<'a>(self) -> Option<&'a str> {
        // SAFETY: the caller vouches for the bytes; `Bytes::get` checks null and length.
        let bytes = unsafe { Bytes { ptr: self.ptr, len: self.len }.get() }?;
        std::str::from_utf8(bytes).ok()
    }
}

/// Bytes that somebody else owns; the same rules as for [`Str`].
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct Bytes {
    ptr: *const u8,
    len: usize,
}

impl Bytes {
    /// No bytes: a null pointer.
    pub const NONE: Self = Self { ptr: std::ptr::null(), len: 0 };

    /// Lends `bytes` across the border.
    #[must_use]
    pub const fn new(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }

    /// The bytes, or `None` if the pointer is null or the length more than an address space holds.
    ///
    /// # Safety
    ///
    /// If the pointer is not null, `len` bytes behind it must be readable and unchanged for `'a`.
    #[must_use]
    pub unsafe fn get<'a>(self) -> Option<&'a [u8]> {
        if self.ptr.is_null() || isize::try_from(self.len).is_err() {
            return None;
        }
        // SAFETY: not null, at most isize::MAX long, and the caller vouches for the bytes.
        Some(unsafe { std::slice::from_raw_parts(self.ptr, self.len) })
    }
}

/// Names something that the host owns: a registrar, a value, a session, an exit. The generation makes
/// a handle that was kept beyond its time an error instead of somebody else's thing.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, StableAbi)]
pub struct Handle {
    /// Where the host keeps it.
    pub index: u32,
    /// Which of the things that were kept there; 0 is never used for one.
    pub generation: u32,
}

impl Handle {
    /// Names nothing; the C interface's NULL.
    pub const NONE: Self = Self { index: 0, generation: 0 };

    /// Whether it names nothing.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.generation == 0
    }
}

/// A function of a module that the host calls: the pointer given at registration, then what the
/// callback is about. Returns a [`status`](super::status) code; it must not unwind.
/// (The tables below spell the type out: abi_stable's derive does not see through an alias.)
pub type Call = unsafe extern "C" fn(*mut c_void, Handle) -> i32;

/// A callback as it is registered. The module owns what `user` points to and never frees it: modules
/// are not unloaded.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct Callback {
    /// The function; null is refused by the registrar.
    pub call: Option<unsafe extern "C" fn(*mut c_void, Handle) -> i32>,
    /// Passed back as it is; may be null.
    pub user: *mut c_void,
}

/// One descriptor that [`Host`](super::Host)'s `session_wait` waits for.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct Waiting {
    /// The descriptor; it stays the caller's.
    pub fd: i32,
    /// A sum of [`Interest`](super::Interest) bits.
    pub interest: u32,
    /// Set by the host: the bits that are ready (an error or a hang-up sets all that were asked for).
    pub ready: u32,
}
