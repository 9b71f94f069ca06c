//! The ledger's atomics as the simulator has them: each operation is one at which another process may
//! take a step, and each write is one that may not come about any more, because its process dies.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub(crate) use std::sync::atomic::Ordering;

/// No moment.
const NEVER: u32 = u32::MAX;

thread_local! {
    static LIFE: Cell<u32> = const { Cell::new(NEVER) };
    static QUIET: Cell<u32> = const { Cell::new(NEVER) };
    static OTHERS: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// What a process that dies in the middle of something unwinds with.
struct Death;

/// Says what the other processes do when it is their turn in the middle of something.
pub(crate) fn set_others(others: Option<Box<dyn Fn()>>) {
    OTHERS.with(|cell| cell.replace(others));
}

/// Runs `work`, whose process dies before its write number `life`, and in which, before operation
/// number `quiet`, another process takes a step. None if it died.
pub(crate) fn live<T>(
    life: Option<u32>,
    quiet: Option<u32>,
    work: impl FnOnce() -> T,
) -> Option<T> {
    LIFE.set(life.unwrap_or(NEVER));
    QUIET.set(quiet.unwrap_or(NEVER));
    let lived = match life {
        None => Ok(work()),
        Some(_) => catch_unwind(AssertUnwindSafe(work)),
    };
    LIFE.set(NEVER);
    QUIET.set(NEVER);
    match lived {
        Ok(value) => Some(value),
        Err(payload) if payload.is::<Death>() => None,
        Err(payload) => resume_unwind(payload),
    }
}

/// Something that is one deed, though it takes several.
pub(crate) fn undisturbed<T>(deed: impl FnOnce() -> T) -> T {
    let (life, quiet) = (LIFE.replace(NEVER), QUIET.replace(NEVER));
    let done = deed();
    LIFE.set(life);
    QUIET.set(quiet);
    done
}

/// A moment at which another process may take a step.
#[inline]
fn operation() {
    let quiet = QUIET.get();
    if quiet != NEVER {
        QUIET.set(quiet.wrapping_sub(1));
        if quiet == 0 {
            let life = LIFE.replace(NEVER);
            OTHERS.with_borrow(|others| others.as_ref().expect("there are others")());
            LIFE.set(life);
        }
    }
}

/// A moment at which the process may die. What stands outside the pages has them, too.
#[inline]
pub(crate) fn write() {
    operation();
    let life = LIFE.get();
    if life != NEVER {
        LIFE.set(life.wrapping_sub(1));
        if life == 0 {
            resume_unwind(Box::new(Death));
        }
    }
}

macro_rules! counted {
    ($($name:ident of $int:ty),*) => {$(
        /// As the one of the standard library.
        #[derive(Debug, Default)]
        pub(crate) struct $name(std::sync::atomic::$name);

        #[allow(dead_code, reason = "not each of them is added to or exchanged")]
        impl $name {
            pub(crate) const fn new(value: $int) -> Self {
                Self(std::sync::atomic::$name::new(value))
            }

            #[inline]
            pub(crate) fn load(&self, order: Ordering) -> $int {
                operation();
                self.0.load(order)
            }

            #[inline]
            pub(crate) fn store(&self, value: $int, order: Ordering) {
                write();
                self.0.store(value, order);
            }

            #[inline]
            pub(crate) fn fetch_add(&self, value: $int, order: Ordering) -> $int {
                write();
                self.0.fetch_add(value, order)
            }

            #[inline]
            pub(crate) fn compare_exchange(
                &self,
                seen: $int,
                value: $int,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$int, $int> {
                write();
                self.0.compare_exchange(seen, value, success, failure)
            }
        }
    )*};
}

counted!(AtomicU8 of u8, AtomicU32 of u32, AtomicU64 of u64);
