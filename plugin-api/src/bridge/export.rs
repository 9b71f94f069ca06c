//! What `export_module!` expands to: the note, the header, and the init function behind it.

use super::{Held, adopt, guard, panics};
use crate::abi::{self, Constructed, Handle, Header, HostRef, Root, Str};
use crate::settings::Setting;
use crate::value::Value;
use crate::{Error, Module, Registrar};

/// The interface's version, as the note says it.
const INTERFACE: &str = "0.1";
const _: () = assert!(abi::MAJOR == 0 && abi::MINOR == 1, "INTERFACE says another version");

/// The compiler that built this crate.
const COMPILER: &str = env!("EXEUNT_COMPILER");

/// A module with the name and version that [`export_module!`](crate::export_module) found.
pub trait Exported: Module {
    /// The crate's name.
    const NAME: &'static str;
    /// The crate's version.
    const VERSION: &'static str;
}

/// The text of a module's note, in parts; the last is the settings' schema.
#[must_use]
pub const fn note_parts<M: Exported>(schema: &'static [u8]) -> [&'static str; 11] {
    assert!(is_name(M::NAME), "the name of a module is made of a-z, 0-9 and _, at most 32 of them");
    let Ok(schema) = std::str::from_utf8(schema) else { panic!("a schema is text") };
    let (name, version) = (M::NAME, M::VERSION);
    let (abi, compiler) = (INTERFACE, COMPILER);
    [
        "abi=",
        abi,
        "\nname=",
        name,
        "\nversion=",
        version,
        "\ncompiler=",
        compiler,
        "\nschema=",
        schema,
        "\n",
    ]
}

const fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if !matches!(bytes[i], b'a'..=b'z' | b'0'..=b'9' | b'_') {
            return false;
        }
        i += 1;
    }
    !bytes.is_empty() && bytes.len() <= 32
}

/// The header of a module, for the symbol [`SYMBOL`](abi::SYMBOL).
#[must_use]
pub const fn header<M: Exported>() -> Header {
    // SAFETY: `construct` returns what `abi::constructed` made.
    unsafe { abi::header(construct::<M>) }
}

extern "C" fn construct<M: Exported>() -> Constructed {
    abi::constructed(Root {
        name: Str::new(M::NAME),
        version: Str::new(M::VERSION),
        init: init::<M>,
    })
}

pub(super) unsafe extern "C" fn init<M: Module>(host: HostRef, registrar: Handle) -> i32 {
    adopt(host);
    panics::install();
    guard(|| {
        let registrar = Held::new(registrar);
        match M::Config::read(Value::new(registrar.settings())) {
            Some(config) => M::init(config, &mut Registrar::new(registrar)),
            None => Err(Error::told("the settings were refused")),
        }
    })
}

/// Makes a type that implements [`Module`] the module of this crate: exports what the host looks for
/// in the `.so`. Once in a crate whose type is `cdylib`. \[at the top level of the crate\]
///
/// The module's name is the crate's, its version the package's. Both, the interface's version, the
/// compiler and the settings stand in an ELF note, which the host reads before it runs any code of the
/// module. A crate that is compiled with `panic = "abort"` is refused: a panic must stay one failed
/// callback.
///
/// ```standalone_crate
/// use exeunt_api::prelude::*;
///
/// struct Quiet;
///
/// impl Module for Quiet {
///     type Config = ();
///
///     fn init(_config: (), _reg: &mut Registrar<'_>) -> Result<()> {
///         Ok(())
///     }
/// }
///
/// export_module!(Quiet);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_module {
    ($module:ty) => {
        #[cfg(panic = "abort")]
        compile_error!("a module of exeunt must be compiled with `panic = \"unwind\"`");

        const _: () = {
            impl $crate::bridge::Exported for $module {
                const NAME: &'static str = env!("CARGO_CRATE_NAME");
                const VERSION: &'static str = env!("CARGO_PKG_VERSION");
            }

            const SHAPE: &$crate::settings::Shape =
                &<<$module as $crate::Module>::Config as $crate::settings::Setting>::SHAPE;
            const SCHEMA: &[u8] = &SHAPE.schema::<{ SHAPE.schema_len() }>();
            const PARTS: &[&str] = &$crate::bridge::note_parts::<$module>(SCHEMA);

            #[used]
            #[unsafe(link_section = ".note.exeunt")]
            static NOTE: $crate::abi::Note<{ $crate::abi::joined_len(PARTS) }> =
                $crate::abi::Note::new($crate::abi::join(PARTS));

            #[unsafe(no_mangle)]
            #[allow(non_upper_case_globals)]
            static exeunt_module_header: $crate::abi::Header = $crate::bridge::header::<$module>();
        };
    };
}
