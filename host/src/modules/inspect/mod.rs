//! What a module's file says about itself, read from its bytes before any of its code runs.
//!
//! Everything in the file is hostile: each offset is checked against the file's length by the `object`
//! crate or here, nothing is trusted, nothing panics. Only what the dynamic loader reads is looked at
//! (program headers, not sections). Whether its symbols can be resolved is the dynamic loader's to say.

mod note;
#[cfg(test)]
pub(super) mod sample;
#[cfg(test)]
mod tests;

use std::ops::Range;

use object::elf;
use object::endian::Endianness;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

use super::Refusal;
use super::refusal::shown;

type Header = elf::FileHeader64<Endianness>;
type Segment = elf::ProgramHeader64<Endianness>;

/// The machine that this host runs on, in ELF's number and in words.
#[cfg(target_arch = "x86_64")]
const MACHINE: (elf::Machine, &str) = (elf::EM_X86_64, "x86-64");
#[cfg(target_arch = "aarch64")]
const MACHINE: (elf::Machine, &str) = (elf::EM_AARCH64, "aarch64");
#[cfg(target_arch = "riscv64")]
const MACHINE: (elf::Machine, &str) = (elf::EM_RISCV, "riscv64");

/// What a module's file says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The module's name.
    pub(crate) name: String,
    /// The module's own version.
    pub(crate) version: String,
    /// The compiler that built it.
    pub(crate) compiler: String,
    /// The description of its settings, as JSON.
    pub(crate) schema: String,
    /// The version of the interface that it was built for: major, minor.
    pub(crate) abi: (u32, u32),
    /// Where its code will lie, relative to the address that it is loaded at.
    pub(super) code: Vec<Range<u64>>,
    /// Where all of it will lie, likewise.
    pub(super) span: Range<u64>,
}

/// Reads the identity out of `bytes`, the whole file, or says why it is not taken ("it …").
pub(crate) fn inspect(bytes: &[u8]) -> Result<Identity, Refusal> {
    let header = header(bytes)?;
    let endian = header.endian().map_err(damaged)?;
    kind(header, endian)?;
    let segments = header.program_headers(endian, bytes).map_err(|_| truncated(bytes.len()))?;
    complete(header, segments, endian, bytes.len())?;
    permissions(segments, endian)?;
    dynamic(segments, endian, bytes)?;
    let note = note::find(segments, endian, bytes)?;
    let (code, span) = addresses(segments, endian)?;
    let note::Note { name, version, compiler, schema, abi } = note;
    Ok(Identity { name, version, compiler, schema, abi, code, span })
}

/// The file's header, if it is an ELF file of this machine's word length.
fn header(bytes: &[u8]) -> Result<&Header, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::new("it is empty").hint("copy or build it again"));
    }
    if !bytes.starts_with(&elf::ELFMAG) {
        return Err(Refusal::new("it is not an ELF file")
            .hint("a module is a shared object, built with `crate-type = [\"cdylib\"]`"));
    }
    match bytes.get(4) {
        Some(1) => return Err(other_machine("a 32-bit one")),
        Some(2) | None => {}
        Some(_) => return Err(damaged("its word length is unknown")),
    }
    if bytes.len() < size_of::<Header>() {
        return Err(truncated(bytes.len()));
    }
    Header::parse(bytes).map_err(damaged)
}

fn kind(header: &Header, endian: Endianness) -> Result<(), Refusal> {
    let native = if cfg!(target_endian = "little") { Endianness::Little } else { Endianness::Big };
    if endian != native {
        return Err(other_machine("one of the other byte order"));
    }
    let machine = header.e_machine(endian);
    if machine != MACHINE.0 {
        return Err(other_machine(&format!("machine number {}", machine.0)));
    }
    if header.e_type(endian) != elf::ET_DYN {
        return Err(not_shared());
    }
    Ok(())
}

/// Whether all that the header announces lies within the file.
fn complete(
    header: &Header,
    segments: &[Segment],
    endian: Endianness,
    len: usize,
) -> Result<(), Refusal> {
    let within =
        |start: u64, size: u64| start.checked_add(size).is_some_and(|end| end <= len as u64);
    let segments_lie_within =
        segments.iter().all(|s| within(s.p_offset(endian), s.p_filesz(endian)));
    // Linkers write the section headers last: they are missing in a copy that was cut anywhere.
    let sections = u64::from(header.e_shnum(endian)) * u64::from(header.e_shentsize(endian));
    if segments_lie_within && within(header.e_shoff(endian), sections) {
        Ok(())
    } else {
        Err(truncated(len))
    }
}

/// Refuses what would weaken the process: an executable stack, memory both writable and executable.
fn permissions(segments: &[Segment], endian: Endianness) -> Result<(), Refusal> {
    let flags = |s: &Segment| s.p_flags(endian).0;
    let write_and_execute = (elf::PF_W | elf::PF_X).0;
    let loads = segments.iter().filter(|s| s.p_type(endian) == elf::PT_LOAD);
    if loads.clone().any(|s| flags(s) & write_and_execute == write_and_execute) {
        return Err(Refusal::new("it has a segment that is both writable and executable")
            .hint("look for -N or --omagic among the linker's options"));
    }
    let stack = segments.iter().find(|s| s.p_type(endian) == elf::PT_GNU_STACK);
    if stack.is_none_or(|s| flags(s) & elf::PF_X.0 != 0) {
        return Err(Refusal::new("it asks for an executable stack")
            .hint("link it with `-z noexecstack`; often an assembly file lacks .note.GNU-stack"));
    }
    Ok(())
}

fn dynamic(segments: &[Segment], endian: Endianness, bytes: &[u8]) -> Result<(), Refusal> {
    let Some(segment) = segments.iter().find(|s| s.p_type(endian) == elf::PT_DYNAMIC) else {
        return Err(not_shared());
    };
    let entries = segment.dynamic(endian, bytes).map_err(damaged)?.unwrap_or_default();
    let entries = entries.iter().take_while(|e| e.tag(endian) != elf::DT_NULL);
    let mut relocated_text = false;
    for entry in entries {
        let (tag, value) = (entry.tag(endian), entry.val(endian));
        let flag = |wanted: u64| value & wanted != 0;
        if tag == elf::DT_FLAGS_1 && flag(elf::DF_1_PIE.0) {
            return Err(not_shared());
        }
        relocated_text |= tag == elf::DT_TEXTREL || tag == elf::DT_FLAGS && flag(elf::DF_TEXTREL.0);
    }
    if relocated_text {
        return Err(Refusal::new(
            "its code would have to be changed to be loaded (text relocations)",
        )
        .hint("compile all of it as position independent code (-fPIC)"));
    }
    Ok(())
}

/// Where its code lies, and all of it, relative to the address it is loaded at.
fn addresses(
    segments: &[Segment],
    endian: Endianness,
) -> Result<(Vec<Range<u64>>, Range<u64>), Refusal> {
    let (mut code, mut lowest, mut highest) = (Vec::new(), u64::MAX, 0);
    for segment in segments.iter().filter(|s| s.p_type(endian) == elf::PT_LOAD) {
        let start = segment.p_vaddr(endian);
        let end = start.checked_add(segment.p_memsz(endian));
        let end = end.ok_or_else(|| damaged("a segment reaches beyond the address space"))?;
        (lowest, highest) = (lowest.min(start), highest.max(end));
        if segment.p_flags(endian).0 & elf::PF_X.0 != 0 {
            code.push(start..end);
        }
    }
    if code.is_empty() { Err(damaged("it has no code")) } else { Ok((code, lowest..highest)) }
}

fn truncated(len: usize) -> Refusal {
    Refusal::new("it is truncated")
        .detail(format!("it has {len} bytes, and its header announces more"))
        .hint("copy or build it again")
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn damaged(why: impl ToString) -> Refusal {
    Refusal::new("it is damaged").detail(shown(&why.to_string())).hint("copy or build it again")
}

fn not_shared() -> Refusal {
    Refusal::new("it is a program or an object file, not a shared object")
        .hint("a module is built with `crate-type = [\"cdylib\"]`, or by `cc -shared`")
}

fn other_machine(found: &str) -> Refusal {
    Refusal::new(format!("it was built for another machine: {found}"))
        .hint(format!("this host runs on {}", MACHINE.1))
}
