//! What `#[derive(Settings)]` refuses.
use exeunt_api::prelude::*;

#[derive(Settings)]
struct Pair(u16, u16);

#[derive(Settings)]
enum Choice {
    Number(u16),
}

#[derive(Settings)]
struct Misspelt {
    #[settings(defalt)]
    port: u16,
}

#[derive(Settings)]
struct Generic<T> {
    value: T,
}

fn main() {}
