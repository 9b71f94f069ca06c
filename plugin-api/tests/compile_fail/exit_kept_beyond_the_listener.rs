//! What a listener gets ends with it.
use exeunt_api::prelude::*;
use std::cell::RefCell;

fn init(reg: &mut Registrar<'_>) -> Result<()> {
    let kept = RefCell::new(Vec::new());
    reg.on_exit("keep", move |exit| {
        kept.borrow_mut().push(exit.user());
        Ok(())
    })
}

fn main() {}
