//! What a module is.

use crate::Result;
use crate::registrar::Registrar;
use crate::settings::Settings;

/// A module: a type without data that [`export_module!`](crate::export_module) exports.
///
/// ```standalone_crate
/// use exeunt_api::prelude::*;
///
/// struct Counter;
///
/// impl Module for Counter {
///     type Config = ();
///
///     fn init(_config: (), reg: &mut Registrar<'_>) -> Result<()> {
///         reg.on_exit("count", |exit| {
///             exit.log().info(exit.bytes_out());
///             Ok(())
///         })
///     }
/// }
///
/// export_module!(Counter);
/// # fn main() {}
/// ```
pub trait Module {
    /// The settings in `[module.config]`; `()` for none.
    type Config: Settings;

    /// Registers what the module does. \[called once in each process that loads the module: the
    /// zygote of each generation, a candidate, `exeunt check`; as root if the daemon is\]
    ///
    /// It reads and registers, and changes nothing outside the process: the daemon may never get to
    /// use the module. It starts no thread. It registers the same things each time. Everything that the
    /// closures capture is copied into each session by `fork`; what is to be known after a session's
    /// death belongs into [`session_state`](Registrar::session_state).
    ///
    /// # Errors
    ///
    /// With an error, or a panic, the module does not load: the daemon does not start, or goes on
    /// with the modules that it has.
    fn init(config: Self::Config, reg: &mut Registrar<'_>) -> Result<()>;
}
