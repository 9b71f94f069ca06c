//! The atomics of which every page is made, and nothing else. The simulator and the loom tests compile
//! these sources over atomics of their own in this place: the first count, and can end a process before any
//! write; loom's try every order.

pub(crate) use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
