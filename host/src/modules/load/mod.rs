//! Loading: a staged module becomes code of this process. Its constructors run here, for the first
//! time; its init runs when the caller says so. A module is never unloaded.
//!
//! This room and its `call` are the only ones that touch a module's code.

#![allow(unsafe_code, reason = "opening a module is running foreign code")]

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
use exeunt_api::abi::{MAJOR, MINOR, RootRef, SYMBOL};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::{Identity, Refusal, Staged, compat};

pub(crate) use call::{call, farewell, serve};

/// A module whose code is in this process and whose interface fits.
pub(crate) struct Loaded {
    /// Its own version.
    pub(crate) version: String,
    /// The SHA-256 of its file as it was staged.
    pub(crate) sha256: String,
    root: RootRef,
    code: Vec<Range<usize>>,
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
        let header_at = symbol(&library)?;
        let base = base(library)?;
        let root = root(header_at, base, &identity)?;
        named(root, &name)?;
        let version = identity.version.clone();
        Ok(Loaded { version, sha256, root, code: code(&identity, base) })
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

/// The address of the module's header.
fn symbol(library: &Library) -> Result<*const c_void, Refusal> {
    // SAFETY: the symbol is only used as an address here, which any symbol has.
    let found = unsafe { library.get::<*const c_void>(SYMBOL) };
    found.map(|symbol| *symbol).map_err(|_| failure::no_header())
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

/// What the module exports, once its header and layouts fit.
fn root(header_at: *const c_void, base: usize, identity: &Identity) -> Result<RootRef, Refusal> {
    let header =
        header(header_at, base, identity)?.upgrade().map_err(|e| failure::of_header(&e))?;
    let (host, module) = (<RootRef as StableAbi>::LAYOUT, header.layout());
    let module = module.ok_or_else(|| Refusal::new("it does not describe its interface"))?;
    let (older, newer) =
        if identity.abi <= (MAJOR, MINOR) { (module, host) } else { (host, module) };
    compat::compatible(older, newer)?;
    // SAFETY: the layouts were compared just above, in the direction of growth.
    unsafe { header.unchecked_layout::<RootRef>() }.map_err(|error| failure::of_root(&error))
}

/// The header behind `at`, which must lie within this module: a symbol that a module lacks is looked
/// for in the libraries that it depends on.
fn header(at: *const c_void, base: usize, identity: &Identity) -> Result<AbiHeaderRef, Refusal> {
    let at = at.cast::<LibHeader>();
    let end = at.addr().checked_add(size_of::<LibHeader>());
    let within = end.is_some_and(|end| {
        let span = moved(&identity.span, base);
        span.start <= at.addr() && end <= span.end
    });
    if !within || !at.is_aligned() {
        return Err(failure::no_header());
    }
    // SAFETY: `AbiHeaderRef` is a transparent non-null pointer to the first field of a `LibHeader`.
    // The address is not null (it lies within the module), is aligned, and as many bytes follow.
    // `upgrade` compares the magic bytes and version before it looks further.
    Ok(unsafe { std::mem::transmute::<*const LibHeader, AbiHeaderRef>(at) })
}

fn named(root: RootRef, name: &str) -> Result<(), Refusal> {
    // SAFETY: a module's name is text of its own, there as long as the module is: for good.
    let found = unsafe { root.name().get() };
    match found {
        Some(found) if found == name => Ok(()),
        _ => Err(Refusal::new("its code bears another name than its identity note")),
    }
}

fn code(identity: &Identity, base: usize) -> Vec<Range<usize>> {
    identity.code.iter().map(|range| moved(range, base)).collect()
}

/// A range of a module's own addresses as one of this process.
fn moved(range: &Range<u64>, base: usize) -> Range<usize> {
    // The kernel mapped the segment, so its end is an address; what wraps would be an empty range.
    let at = |address: u64| base.wrapping_add(address as usize);
    at(range.start)..at(range.end)
}
