//! Bounded text in shared memory. What it means, and who may write it, is not known here.

use std::array::from_fn;

use crate::sync::{AtomicU8, AtomicU32, Ordering::Relaxed};

/// UTF-8 text of at most `N` bytes; longer text is cut at a character.
#[repr(C)]
#[derive(Debug)]
pub struct Text<const N: usize> {
    len: AtomicU32,
    bytes: [AtomicU8; N],
}

impl<const N: usize> Text<N> {
    /// Empty text.
    #[must_use]
    pub fn new() -> Self {
        Self { len: AtomicU32::new(0), bytes: from_fn(|_| AtomicU8::new(0)) }
    }

    /// Writes `text`, as much of it as fits. A reader at the same time sees some mixture.
    pub fn set(&self, text: &str) {
        let len = text.floor_char_boundary(N);
        for (cell, byte) in self.bytes.iter().zip(&text.as_bytes()[..len]) {
            cell.store(*byte, Relaxed);
        }
        self.len.store(len as u32, Relaxed);
    }

    /// The text as it is now, whoever wrote it: bounded, with U+FFFD for what is not UTF-8 and for
    /// control characters.
    #[must_use]
    pub fn get(&self) -> String {
        let len = (self.len.load(Relaxed) as usize).min(N);
        let bytes: Vec<u8> = self.bytes[..len].iter().map(|cell| cell.load(Relaxed)).collect();
        let text = String::from_utf8_lossy(&bytes);
        text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len.load(Relaxed) == 0
    }

    /// Copies what `other` holds now, bounded.
    pub fn copy(&self, other: &Self) {
        let len = other.len.load(Relaxed).min(N as u32);
        for (to, from) in self.bytes.iter().zip(&other.bytes).take(len as usize) {
            to.store(from.load(Relaxed), Relaxed);
        }
        self.len.store(len, Relaxed);
    }

    /// Makes it empty.
    pub fn clear(&self) {
        self.len.store(0, Relaxed);
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}
