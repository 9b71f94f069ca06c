//! What the dynamic loader and abi_stable say when a module does not load, in an operator's words.

use std::error::Error as _;

use abi_stable::library::{LibraryError, RootModuleError};
use exeunt_api::abi::{C_SYMBOL, SYMBOL};

use super::Refusal;
use crate::modules::refusal::shown;

/// Why the dynamic loader did not open the file that it knows as `path`.
pub(super) fn of_open(error: &libloading::Error, path: &str) -> Refusal {
    let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    of_dlerror(said.strip_prefix(path).map_or(&*said, |rest| rest.trim_start_matches(": ")))
}

fn of_dlerror(said: &str) -> Refusal {
    let between = |start: &str, end: &str| {
        let rest = &said[said.find(start)? + start.len()..];
        Some(shown(&rest[..rest.find(end).unwrap_or(rest.len())]))
    };
    let (why, hint) = if let Some(symbol) = between("undefined symbol: ", ",") {
        let why = format!("it needs the symbol {symbol}, which no library provides");
        (why, "link it with the library that provides the symbol")
    } else if let Some(version) = between("version `", "'") {
        let why = format!("it needs {version}, which this system's libraries do not have");
        (why, "build it on a system that is not newer than this one")
    } else if said.contains("cannot open shared object file") {
        let library = shown(said.split(':').next().unwrap_or(said));
        let why = format!("it needs the library {library}, which cannot be found");
        (why, "install the library, or link it statically")
    } else {
        return Refusal::new("the dynamic loader does not take it").detail(shown(said));
    };
    Refusal::new(why).detail(said.escape_debug().to_string()).hint(hint)
}

/// There is an identity note, but no way into the code.
pub(super) fn no_header() -> Refusal {
    Refusal::new(format!("it does not export {SYMBOL}, nor {C_SYMBOL} as C modules do")).hint(
        "a module calls `export_module!` (Rust) or `EXEUNT_MODULE` (C) once, and is linked without \
         stripping its exports",
    )
}

/// The code and the note do not agree.
pub(super) fn other_name() -> Refusal {
    Refusal::new("its code bears another name than its identity note")
}

/// The header is not one of this abi_stable.
pub(super) fn of_header(error: &LibraryError) -> Refusal {
    let detail = match error {
        LibraryError::InvalidAbiHeader(found) => {
            format!("it has abi_stable {}.{}", found.abi_major, found.abi_minor)
        }
        other => shown(other.to_string().trim()),
    };
    Refusal::new("it was built with another abi_stable or another compiler's calling convention")
        .detail(detail)
        .hint("build it and the host from the same version of exeunt-api")
}

/// The module's own function that returns its root failed.
pub(super) fn of_root(error: &RootModuleError) -> Refusal {
    Refusal::new("its code did not give its description").detail(shown(error.to_string().trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_complaint_of_the_dynamic_loader_names_what_is_needed() {
        let message = |said| of_dlerror(said).message;
        assert_eq!(
            message("undefined symbol: pam_start, version LIBPAM_1.0"),
            "it needs the symbol pam_start, which no library provides"
        );
        assert_eq!(
            message("libpam.so.0: cannot open shared object file: No such file or directory"),
            "it needs the library libpam.so.0, which cannot be found"
        );
        assert_eq!(
            message("/lib/libc.so.6: version `GLIBC_2.99' not found (required by /proc/self/fd/3)"),
            "it needs GLIBC_2.99, which this system's libraries do not have"
        );
        assert_eq!(message("invalid ELF header"), "the dynamic loader does not take it");
    }
}
