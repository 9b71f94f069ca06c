//! Nobody makes a registrar but the host: it has no default either.
use exeunt_api::prelude::*;

fn made<T: Default>() -> T {
    T::default()
}

fn main() {
    let _: Registrar<'_> = made();
}
