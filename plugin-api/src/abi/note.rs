//! The ELF note that names a module without loading it. The host reads it before any code runs.

/// The section of the note.
pub const NOTE_SECTION: &str = ".note.exeunt";
/// The note's owner, with its terminating NUL.
pub const NOTE_NAME: [u8; 8] = *b"exeunt\0\0";
/// The note's type: a module's identity.
pub const NOTE_TYPE: u32 = 1;

/// An ELF note (gABI, "Note Section"): three words, the owner, then the text of `N` bytes, whose
/// length is a multiple of 4. The text has one `key=value` a line: `abi`, `name`, `version`,
/// `compiler`, and last `schema`, the settings as JSON, to the end; padded with newlines.
#[repr(C, align(4))]
#[derive(Debug)]
pub struct Note<const N: usize> {
    name_size: u32,
    text_size: u32,
    kind: u32,
    name: [u8; 8],
    text: [u8; N],
}

impl<const N: usize> Note<N> {
    /// The note with that text.
    #[must_use]
    pub const fn new(text: [u8; N]) -> Self {
        assert!(N % 4 == 0 && N < 1 << 20, "a note's text is padded to words and below 1 MiB");
        Self { name_size: 7, text_size: N as u32, kind: NOTE_TYPE, name: NOTE_NAME, text }
    }
}

/// The length of `parts` joined, rounded up to whole words.
#[must_use]
pub const fn joined_len(parts: &[&str]) -> usize {
    let (mut sum, mut i) = (0, 0);
    while i < parts.len() {
        sum += parts[i].len();
        i += 1;
    }
    sum.next_multiple_of(4)
}

/// The `parts` joined, at compile time; padded with newlines to `N`.
#[must_use]
pub const fn join<const N: usize>(parts: &[&str]) -> [u8; N] {
    let (mut out, mut at, mut i) = ([b'\n'; N], 0, 0);
    while i < parts.len() {
        let part = parts[i].as_bytes();
        let mut j = 0;
        while j < part.len() {
            out[at] = part[j];
            at += 1;
            j += 1;
        }
        i += 1;
    }
    out
}
