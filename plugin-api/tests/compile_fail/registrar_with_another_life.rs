//! A registrar cannot be passed off as one that lives longer or shorter.
use exeunt_api::prelude::*;

fn shorter<'a, 'b: 'a>(reg: &'a Registrar<'b>) -> &'a Registrar<'a> {
    reg
}

fn main() {}
