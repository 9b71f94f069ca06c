//! Nobody makes a registrar but the host.
use exeunt_api::prelude::*;

fn main() {
    let _ = Registrar {};
}
