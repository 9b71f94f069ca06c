//! Says goodbye to every session that ends, and to the daemon. It is the template of a module: copy
//! it and change it. What each line means stands in the documentation of `exeunt_api`.
#![forbid(unsafe_code)]
use exeunt_api::prelude::*;

/// Settings of the module: its `[module.config]` in `modules.toml`. Doc comments are shown to the
/// operator by `exeunt module info`.
#[derive(Settings)]
struct Config {
    /// The words to log.
    farewell: String,
}

/// The module. It has no data: what a listener needs, its closure captures.
struct Hello;

impl Module for Hello {
    type Config = Config;

    // Runs once, before there are sessions: read the settings, register, touch nothing else.
    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        // Runs once for each session, whatever ended it, perhaps after the death of its process.
        reg.on_exit("farewell", move |exit| {
            exit.log().info(format!("{}, {} ({})", config.farewell, exit.session(), exit.cause()));
            Ok(())
        })?;
        // Runs once, after the last session has ended.
        reg.on_shutdown("farewell", |shutdown| {
            shutdown.log().info("bye");
            Ok(())
        })
    }
}

export_module!(Hello);
