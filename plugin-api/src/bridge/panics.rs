//! One clean line for each panic. Inside a callback the hook only remembers place and message, which
//! the callback's end gives to the host; elsewhere (another thread, a panic during a panic) it logs.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, PanicHookInfo};

use super::log;
use crate::abi::Level;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Replaces the hook of the module's own copy of std, which would write to standard error.
pub(super) fn install() {
    #[cfg(test)]
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let text = text_of(info);
        let first = LAST.with_borrow(Option::is_none);
        if DEPTH.get() > 0 && first {
            LAST.set(Some(text));
        } else {
            log(Level::Error, &text);
            #[cfg(test)]
            previous(info);
        }
    }));
}

fn text_of(info: &PanicHookInfo<'_>) -> String {
    let message = message_of(info.payload());
    match info.location() {
        Some(at) => format!("panicked at {}:{}: {message}", at.file(), at.line()),
        None => format!("panicked: {message}"),
    }
}

fn message_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// A callback that is being run: panics on this thread belong to it.
pub(super) struct Watch {
    /// What the callback around this one has to tell.
    before: Option<String>,
}

impl Watch {
    pub(super) fn begin() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        // A panic that the module caught itself is not this callback's.
        Self { before: LAST.take() }
    }

    /// The text for a panic with that payload, which ended the callback.
    pub(super) fn describe(&self, payload: &(dyn Any + Send)) -> String {
        LAST.take().unwrap_or_else(|| format!("panicked: {}", message_of(payload)))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        LAST.set(self.before.take());
    }
}
