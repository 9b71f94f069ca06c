//! Loading: a staged module becomes code of this process. Its constructors run here, for the first
//! time; its init runs when the caller says so. A module is never unloaded.
//!
//! This room and its `call` are the only ones that touch a module's code.

#![allow(unsafe_code, reason = "opening a module is running foreign code")]

mod c;
mod call;
mod failure;
#[cfg(test)]
mod tests;

use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::os::fd::IntoRawFd;

use abi_stable::StableAbi;
use abi_stable::library::{AbiHeaderRef, LibHeader};
use exeunt_api::abi::{C_SYMBOL, MAJOR, MINOR, RootRef, SYMBOL};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::{Identity, Refusal, Staged, compat};

pub(crate) use call::{call, farewell, serve};

/// A module whose code is in this process and whose interface fits.
pub(crate) struct Loaded {
    /// Its own version.
    pub(crate) version: String,
    /// The SHA-256 of its file as it was staged.
    pub(crate) sha256: String,
    entry: Entry,
    code: Vec<Range<usize>>,
}

/// The way into a module's code: through its Rust header or through its C one.
#[derive(Clone, Copy)]
enum Entry {
    Rust(RootRef),
    C(c::Init),
}

impl Loaded {
    /// Whether `address` lies in an executable segment of this very module.
    pub(crate) fn holds_code(&self, address: usize) -> bool {
        self.code.iter().any(|range| range.contains(&address))
    }
}

/// Opens a staged module: its libraries are found, its symbols bound, its constructors run; then the
/// interfaces are compared.
pub(crate) fn load(staged: Staged) -> Result<Loaded, Refusal> {
    let Staged { name, path, sha256, identity, image } = staged;
    // The descriptor stays open for good: the dynamic loader knows a library by the path it was
    // opened with, and would take a later module under the same number for this one.
    let opened = format!("/proc/self/fd/{}", image.into_raw_fd());
    let loaded = || {
        let library = open(&opened)?;
        let (of_rust, of_c) = (symbol(&library, SYMBOL), symbol(&library, C_SYMBOL));
        let own = Own { identity: &identity, base: base(library)? };
        // A symbol that a module lacks is looked for in the libraries that it depends on.
        let entry = match (own.holds(of_rust), own.holds(of_c)) {
            (Some(at), _) => Entry::Rust(root(at, &own, &name)?),
            (None, Some(at)) => Entry::C(c::init(at, &own, &name)?),
            (None, None) => return Err(failure::no_header()),
        };
        let version = identity.version.clone();
        Ok(Loaded { version, sha256, entry, code: own.code() })
    };
    loaded().map_err(|refusal: Refusal| refusal.of_module(&name, &path))
}

fn open(path: &str) -> Result<ManuallyDrop<Library>, Refusal> {
    // SAFETY: this runs the module's constructors. The file was inspected and cannot change any more
    // (sealed); that its code behaves is what loading a module means, and a failure ends this
    // process only. It is never closed, so nothing that leads into it can dangle.
    let opened = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
    opened.map(ManuallyDrop::new).map_err(|error| failure::of_open(&error, path))
}

/// The address of one of the module's symbols, if the dynamic loader finds it.
fn symbol(library: &Library, name: &str) -> Option<*const c_void> {
    // SAFETY: the symbol is only used as an address here, which any symbol has.
    let found = unsafe { library.get::<*const c_void>(name) };
    found.ok().map(|symbol| *symbol)
}

/// The address that the library was loaded at.
fn base(library: ManuallyDrop<Library>) -> Result<usize, Refusal> {
    /// The beginning of glibc's and musl's `struct link_map`.
    #[repr(C)]
    struct LinkMap {
        base: usize,
    }
    let handle = ManuallyDrop::into_inner(library).into_raw();
    let mut map: *const LinkMap = std::ptr::null();
    // SAFETY: the handle came from dlopen and was never closed; RTLD_DI_LINKMAP writes one pointer.
    let result = unsafe { libc::dlinfo(handle, libc::RTLD_DI_LINKMAP, (&raw mut map).cast()) };
    if result != 0 {
        return Err(Refusal::new("the dynamic loader does not say where it lies"));
    }
    // SAFETY: dlinfo succeeded, so the pointer leads to the library's entry in the loader's list,
    // which lives as long as the library is open; null is turned into an error.
    let map = unsafe { map.as_ref() };
    map.map(|map| map.base).ok_or_else(|| Refusal::new("the dynamic loader has no entry for it"))
}

/// Where a module lies.
struct Own<'a> {
    identity: &'a Identity,
    base: usize,
}

impl Own<'_> {
    /// The address, if it lies within this module.
    fn holds(&self, at: Option<*const c_void>) -> Option<*const c_void> {
        at.filter(|at| self.has_room(at.addr(), 1))
    }

    /// Whether `size` bytes from `address` lie within this module.
    fn has_room(&self, address: usize, size: usize) -> bool {
        let span = moved(&self.identity.span, self.base);
        address.checked_add(size).is_some_and(|end| span.start <= address && end <= span.end)
    }

    fn code(&self) -> Vec<Range<usize>> {
        self.identity.code.iter().map(|range| moved(range, self.base)).collect()
    }
}

/// What a Rust module exports, once its header and layouts fit.
fn root(header_at: *const c_void, own: &Own<'_>, name: &str) -> Result<RootRef, Refusal> {
    let header = header(header_at, own)?.upgrade().map_err(|e| failure::of_header(&e))?;
    let (host, module) = (<RootRef as StableAbi>::LAYOUT, header.layout());
    let module = module.ok_or_else(|| Refusal::new("it does not describe its interface"))?;
    let (older, newer) =
        if own.identity.abi <= (MAJOR, MINOR) { (module, host) } else { (host, module) };
    compat::compatible(older, newer)?;
    // SAFETY: the layouts were compared just above, in the direction of growth.
    let root = unsafe { header.unchecked_layout::<RootRef>() }.map_err(|e| failure::of_root(&e))?;
    // SAFETY: a module's name is text of its own, there as long as the module is: for good.
    if unsafe { root.name().get() } == Some(name) { Ok(root) } else { Err(failure::other_name()) }
}

/// The header at `at`, an address within this module.
fn header(at: *const c_void, own: &Own<'_>) -> Result<AbiHeaderRef, Refusal> {
    let at = at.cast::<LibHeader>();
    if !own.has_room(at.addr(), size_of::<LibHeader>()) || !at.is_aligned() {
        return Err(failure::no_header());
    }
    // SAFETY: `AbiHeaderRef` is a transparent non-null pointer to the first field of a `LibHeader`.
    // The address is not null (it lies within the module), is aligned, and as many bytes follow.
    // `upgrade` compares the magic bytes and version before it looks further.
    Ok(unsafe { std::mem::transmute::<*const LibHeader, AbiHeaderRef>(at) })
}

/// A range of a module's own addresses as one of this process.
fn moved(range: &Range<u64>, base: usize) -> Range<usize> {
    // The kernel mapped the segment, so its end is an address; what wraps would be an empty range.
    let at = |address: u64| base.wrapping_add(address as usize);
    at(range.start)..at(range.end)
}
