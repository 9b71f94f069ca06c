//! The registrar cannot be sent to another thread.
use exeunt_api::prelude::*;

fn sent(_: impl Send) {}

fn init(reg: &mut Registrar<'_>) -> Result<()> {
    sent(reg);
    Ok(())
}

fn main() {}
