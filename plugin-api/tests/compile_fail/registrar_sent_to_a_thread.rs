//! The registrar cannot be sent to another thread.
use exeunt_api::prelude::*;

fn init(reg: &mut Registrar<'_>) -> Result<()> {
    std::thread::scope(|scope| {
        scope.spawn(move || reg.log());
    });
    Ok(())
}

fn main() {}
