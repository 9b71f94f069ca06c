//! The registrar cannot be stored beyond init.
use exeunt_api::prelude::*;
use std::cell::Cell;

thread_local! {
    static KEPT: Cell<Option<&'static mut Registrar<'static>>> = Cell::new(None);
}

fn init(reg: &mut Registrar<'_>) -> Result<()> {
    KEPT.set(Some(reg));
    Ok(())
}

fn main() {}
