//! A shared object of a few hundred bytes, made in memory, for the tests of inspection and staging.

use exeunt_api::abi::{MAJOR, MINOR, NOTE_NAME, NOTE_TYPE};

/// What goes into the file; each test changes one thing.
pub(crate) struct Sample {
    /// `e_type`.
    pub(crate) kind: u16,
    /// `e_machine`.
    pub(crate) machine: u16,
    /// The flags of the segment that holds the code.
    pub(crate) code_flags: u32,
    /// The flags of the stack's segment, if there is one.
    pub(crate) stack_flags: Option<u32>,
    /// Tags and values of the dynamic segment, if there is one.
    pub(crate) dynamic: Option<Vec<(u64, u64)>>,
    /// The texts of the identity notes.
    pub(crate) notes: Vec<String>,
}

impl Default for Sample {
    fn default() -> Self {
        let note = format!(
            "abi={MAJOR}.{MINOR}\nname=sample\nversion=1.2.3\ncompiler=rustc 1.95\nschema={{}}\n"
        );
        Self {
            kind: 3,
            machine: super::MACHINE.0.0,
            code_flags: 5,
            stack_flags: Some(6),
            dynamic: Some(vec![(0, 0)]),
            notes: vec![note],
        }
    }
}

impl Sample {
    /// The file: header, program headers, notes, dynamic segment, code, section headers (one).
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let notes: Vec<u8> = self.notes.iter().flat_map(|text| note(text)).collect();
        let entries = self.dynamic.as_deref().unwrap_or_default();
        let dynamic: Vec<u8> =
            entries.iter().flat_map(|(tag, value)| words(&[*tag, *value])).collect();
        let count = 2 + u16::from(self.dynamic.is_some()) + u16::from(self.stack_flags.is_some());
        let notes_at = 64 + 56 * u64::from(count);
        let dynamic_at = (notes_at + notes.len() as u64).next_multiple_of(8);
        let code_at = dynamic_at + dynamic.len() as u64;
        let sections_at = code_at + 16;

        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        for half in [self.kind, self.machine] {
            file.extend(half.to_le_bytes());
        }
        file.extend(1_u32.to_le_bytes());
        file.extend(words(&[0, 64, sections_at]));
        file.extend(0_u32.to_le_bytes());
        for half in [64, 56, count, 64, 1, 0] {
            file.extend(half.to_le_bytes());
        }
        file.extend(segment(1, self.code_flags, 0, sections_at));
        file.extend(segment(4, 4, notes_at, notes.len() as u64));
        if self.dynamic.is_some() {
            file.extend(segment(2, 6, dynamic_at, dynamic.len() as u64));
        }
        if let Some(flags) = self.stack_flags {
            file.extend(segment(0x6474_e551, flags, 0, 0));
        }
        for (part, at) in [(notes, notes_at), (dynamic, dynamic_at), (vec![0x90; 16], code_at)] {
            file.resize(usize::try_from(at).unwrap(), 0);
            file.extend(part);
        }
        file.extend([0; 64]);
        file
    }
}

fn words(values: &[u64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn segment(kind: u32, flags: u32, at: u64, len: u64) -> Vec<u8> {
    let mut out = kind.to_le_bytes().to_vec();
    out.extend(flags.to_le_bytes());
    out.extend(words(&[at, at, at, len, len, 4]));
    out
}

fn note(text: &str) -> Vec<u8> {
    let mut text = text.as_bytes().to_vec();
    text.resize(text.len().next_multiple_of(4), b'\n');
    let length = u32::try_from(text.len()).unwrap();
    let mut out: Vec<u8> =
        [7, length, NOTE_TYPE].iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    out.extend(NOTE_NAME);
    out.extend(text);
    out
}
