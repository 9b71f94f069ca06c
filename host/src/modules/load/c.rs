//! The C header of a module: nothing in it is believed before it was looked at.

use std::ffi::c_void;

use exeunt_api::abi::{C_MAGIC, CHost, CModule, Handle, MAJOR, MINOR, Str};

use super::{Own, failure};
use crate::modules::Refusal;

/// The init function of a C module.
pub(super) type Init = unsafe extern "C" fn(*const CHost, Handle) -> i32;

/// The init of the module whose header is at `at`, an address within it.
pub(super) fn init(at: *const c_void, own: &Own<'_>, name: &str) -> Result<Init, Refusal> {
    let module = header(at, own)?;
    if module.magic != C_MAGIC {
        return Err(malformed("it does not begin with EXEUNT_MAGIC"));
    }
    if (module.size as usize) < size_of::<CModule>() {
        return Err(malformed("its size is less than that of the first version"));
    }
    if (module.major, module.minor) != own.identity.abi {
        let (major, minor) = (module.major, module.minor);
        return Err(Refusal::new(format!(
            "its code was built for interface {major}.{minor}, which is not what its note says"
        ))
        .detail(format!("this host offers {MAJOR}.{MINOR}"))
        .hint("build all of it with one exeunt.h"));
    }
    if text(module.name, own) != Some(name) {
        return Err(failure::other_name());
    }
    if text(module.version, own) != Some(&*own.identity.version) {
        return Err(malformed("its version is not that of its note"));
    }
    let init = module.init.ok_or_else(|| malformed("its init function is a null pointer"))?;
    if !own.code().iter().any(|range| range.contains(&(init as usize))) {
        return Err(malformed("its init function does not lie in its own code"));
    }
    Ok(init)
}

fn header(at: *const c_void, own: &Own<'_>) -> Result<CModule, Refusal> {
    let at = at.cast::<CModule>();
    if !own.has_room(at.addr(), size_of::<CModule>()) || !at.is_aligned() {
        return Err(failure::no_header());
    }
    // SAFETY: aligned, and as many bytes of the module follow, which is never unloaded; every
    // pattern of bits is a `CModule` (its one function is optional). A segment without the right to
    // be read ends this process only, as any fault of loading.
    Ok(unsafe { at.read() })
}

/// A text of the header, if it lies within the module.
fn text<'a>(text: Str, own: &Own<'_>) -> Option<&'a str> {
    if !own.has_room(text.address(), text.len()) {
        return None;
    }
    // SAFETY: the bytes lie within the module, which is never unloaded.
    unsafe { text.get() }
}

fn malformed(why: &str) -> Refusal {
    Refusal::new(format!("its header is malformed: {why}"))
        .hint("a C module is described by `EXEUNT_MODULE`, once")
}
