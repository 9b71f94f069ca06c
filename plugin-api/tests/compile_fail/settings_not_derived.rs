//! A type without `#[derive(Settings)]` is not the settings of a module.
use exeunt_api::prelude::*;

struct Config;
struct Bad;

impl Module for Bad {
    type Config = Config;

    fn init(_config: Config, _reg: &mut Registrar<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}
