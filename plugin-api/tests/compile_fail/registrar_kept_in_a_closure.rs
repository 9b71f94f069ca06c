//! The registrar cannot be kept for later in a listener.
use exeunt_api::prelude::*;

fn init(reg: &mut Registrar<'_>) -> Result<()> {
    let mut other = Some(reg);
    other.take().unwrap().on_exit("late", move |_| {
        let _ = &other;
        Ok(())
    })
}

fn main() {}
