//! The ways to misbehave. Each does what a real fault would do, with the system's own means.

#![allow(unsafe_code, reason = "faults are what this module is for")]
#![allow(clippy::disallowed_methods, reason = "ending the process is one of them")]

use std::ffi::CString;
use std::fs;
use std::hint::black_box;
use std::io::Read;
use std::ptr;
use std::thread;
use std::time::Duration;

use exeunt_api::prelude::*;

/// The program that the process becomes.
pub(crate) const PROGRAM: &str = "/bin/true";
/// How long a process that is left behind lives at most, should nobody end it.
const LEFT_BEHIND: Duration = Duration::from_secs(120);

/// How it misbehaves.
#[derive(Clone, Copy, Default, Settings)]
pub(crate) enum How {
    /// Not at all.
    #[default]
    None,
    /// Returns an error.
    Error,
    /// Panics.
    Panic,
    /// Writes through a null pointer.
    NullWrite,
    /// Jumps to an address where no code is.
    WildJump,
    /// Calls itself until the stack is used up.
    StackOverflow,
    /// Computes for ever.
    Spin,
    /// Sleeps for ever, in the kernel.
    Sleep,
    /// The same, with every signal blocked that can be.
    SleepBlocked,
    /// Calls `exit(0)`.
    Exit,
    /// Calls `_exit(0)`.
    ExitNow,
    /// Calls `abort()`.
    Abort,
    /// Becomes another program, `true`.
    Execve,
    /// Leaves a grandchild behind that keeps all descriptors and sleeps.
    ForkHolding,
    /// Closes all descriptors.
    CloseAll,
    /// Changes the working directory.
    Chdir,
    /// Changes the umask.
    Umask,
    /// Stops the process.
    Sigstop,
    /// Writes random bytes all over the page of the ledger that it can write to.
    TamperPage,
    /// Leaves the process with another umask, working directory and signal mask.
    TamperProcess,
    /// Leaves the process with another user and group, if it may change them.
    TamperIdentity,
    /// Uses memory, until it is killed for it; a gigabyte at most.
    Eat,
    /// Uses memory, with a bound that it gives to itself first, until an allocation fails.
    Starve,
    /// Leaves a thread behind.
    Thread,
    /// Asks the zygote for what it must not have.
    Ask,
    /// Registers a listener of the same name twice, whatever the event.
    DuplicateListener,
}

impl How {
    /// The one with that name, of those that a client may ask for.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "abort" => How::Abort,
            "eat" => How::Eat,
            "null-write" => How::NullWrite,
            "panic" => How::Panic,
            "starve" => How::Starve,
            _ => return None,
        })
    }
}

/// Does it. What returns afterwards says that all is well, except `error`.
pub(crate) fn misbehave(how: How) -> Result<()> {
    match how {
        How::None | How::Ask | How::DuplicateListener => {}
        How::Error => return Err(Error::new("told to fail")),
        How::Panic => panic!("told to panic"),
        How::NullWrite => null_write(),
        How::WildJump => wild_jump(),
        How::StackOverflow => drop(black_box(overflow(0))),
        How::Spin => spin(),
        How::Sleep => sleep(),
        How::SleepBlocked => {
            block_all();
            sleep();
        }
        // SAFETY: ends the process, other code of which may still run: that is the fault.
        How::Exit => unsafe { libc::exit(0) },
        // SAFETY: ends the process at once.
        How::ExitNow => unsafe { libc::_exit(0) },
        // SAFETY: as above.
        How::Abort => unsafe { libc::abort() },
        How::Execve => execve(),
        How::ForkHolding => fork_holding(),
        // SAFETY: the descriptors are closed under their owners' feet: that is the fault.
        How::CloseAll => drop(unsafe { libc::close_range(0, u32::MAX, 0) }),
        How::Chdir => std::env::set_current_dir("/proc")?,
        // SAFETY: sets a number of the process.
        How::Umask => drop(unsafe { libc::umask(0o123) }),
        // SAFETY: stops the process, which changes nothing in it.
        How::Sigstop => drop(unsafe { libc::raise(libc::SIGSTOP) }),
        How::TamperPage => tamper_page()?,
        How::TamperProcess => {
            block_all();
            misbehave(How::Umask)?;
            misbehave(How::Chdir)?;
        }
        How::TamperIdentity => become_nobody(),
        How::Eat => eat(),
        How::Starve => starve(),
        How::Thread => drop(thread::Builder::new().name("left-behind".into()).spawn(sleep)?),
    }
    Ok(())
}

fn null_write() {
    let nowhere = black_box(ptr::null_mut::<u8>());
    // SAFETY: none: that is the fault.
    unsafe { nowhere.write_volatile(1) };
}

fn wild_jump() {
    let nowhere = black_box(8_usize);
    // SAFETY: none: that is the fault.
    let function = unsafe { std::mem::transmute::<usize, extern "C" fn()>(nowhere) };
    function();
}

#[allow(unconditional_recursion, reason = "that is the fault")]
fn overflow(depth: u64) -> u64 {
    let room = black_box([depth; 512]);
    overflow(black_box(depth + 1)) + room[0]
}

fn spin() -> ! {
    loop {
        black_box(());
    }
}

fn sleep() {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

fn block_all() {
    // SAFETY: a signal set may have any bits.
    let mut all = unsafe { std::mem::zeroed::<libc::sigset_t>() };
    // SAFETY: `all` is a signal set that may be written to.
    unsafe { libc::sigfillset(&raw mut all) };
    // SAFETY: the set is whole; the old one is not wanted.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, ptr::null_mut()) };
}

/// Finds the pages as a stray pointer would: they lie somewhere in this process.
fn tamper_page() -> Result<()> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let mut random = fs::File::open("/dev/urandom")?;
    for line in maps.lines().filter(|line| line.contains("/ledger.") && line.contains(" rw-s ")) {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        let [from, to] = range.map_or(["", ""], |(from, to)| [from, to]);
        let hex = |digits| usize::from_str_radix(digits, 16).map_err(Error::new);
        let (from, to) = (hex(from)?, hex(to)?);
        let mut bytes = vec![0; to - from];
        random.read_exact(&mut bytes)?;
        let page = ptr::with_exposed_provenance_mut::<u8>(from);
        // SAFETY: the range is mapped and may be written to; that it is the host's is the fault.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), page, bytes.len()) };
    }
    Ok(())
}

fn become_nobody() {
    const NOBODY: u32 = 65534;
    // SAFETY: changes numbers of the process, or nothing.
    unsafe { libc::setresgid(NOBODY, NOBODY, NOBODY) };
    // SAFETY: as above.
    unsafe { libc::setresuid(NOBODY, NOBODY, NOBODY) };
}

/// What one step of using memory takes.
const BITE: usize = 1 << 20;

fn eat() {
    let bites = (0..1024).map(|_| black_box(vec![1_u8; BITE]));
    drop(black_box(bites.collect::<Vec<_>>()));
}

fn starve() {
    let bound = libc::rlimit { rlim_cur: 64 << 20, rlim_max: 64 << 20 };
    // SAFETY: the bound is read only.
    unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const bound) };
    eat();
}

fn execve() {
    let Ok(program) = CString::new(PROGRAM) else { return };
    let arguments = [program.as_ptr(), ptr::null()];
    // SAFETY: the arguments are C strings, ended by a null.
    unsafe { libc::execv(program.as_ptr(), arguments.as_ptr()) };
}

/// Forks twice; the child ends at once, the grandchild keeps the descriptors.
fn fork_holding() {
    // SAFETY: the process has one thread, so the child is as sound as its parent.
    match unsafe { libc::fork() } {
        0 => left_behind(),
        child => {
            // SAFETY: waits for the child; the status is not wanted.
            unsafe { libc::waitpid(child, ptr::null_mut(), 0) };
        }
    }
}

fn left_behind() -> ! {
    // SAFETY: as above.
    if unsafe { libc::fork() } == 0 {
        thread::sleep(LEFT_BEHIND);
    }
    // SAFETY: ends this process.
    unsafe { libc::_exit(0) }
}
