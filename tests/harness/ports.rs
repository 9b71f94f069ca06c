//! Free ports, below those that the kernel gives to clients.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// The first of the ports, and how many they are.
const FIRST: u16 = 10_000;
const MANY: u16 = 20_000;

/// A port on which nobody listened just now. Whoever binds it may still find that it was taken.
pub(crate) fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Other runs of the tests begin elsewhere.
    let begin = (std::process::id() % u32::from(MANY)) as u16;
    loop {
        let step = NEXT.fetch_add(1, Relaxed).wrapping_mul(7);
        let port = FIRST + (u32::from(begin) + u32::from(step)) as u16 % MANY;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
