//! A module whose constructor ends the process that loads it, if the environment asks for that. A
//! constructor runs when the dynamic loader opens a file, before the module's header can be read.

#![allow(unsafe_code, reason = "a constructor is a raw function in a section of its own")]
#![allow(clippy::disallowed_methods, reason = "it ends the process")]

use exeunt_api::prelude::*;

/// What the constructor does: `exit`, `crash` or anything else.
const ASKED: &str = "EXEUNT_TEST_CTOR";

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = constructor;

extern "C" fn constructor() {
    match std::env::var(ASKED).as_deref() {
        // SAFETY: ends the process; nothing of it is needed any more.
        Ok("exit") => unsafe { libc::exit(0) },
        // SAFETY: as above.
        Ok("crash") => unsafe { libc::abort() },
        _ => {}
    }
}

struct Ctor;

impl Module for Ctor {
    type Config = ();

    fn init(_config: (), _reg: &mut Registrar<'_>) -> Result<()> {
        Ok(())
    }
}

export_module!(Ctor);
