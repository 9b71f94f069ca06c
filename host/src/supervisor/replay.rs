//! After a daemon that was killed: its ledgers are there, and say what is owed. What is left of its
//! processes is ended, then a zygote for each generation, with the very modules of then, finishes
//! every chain and the daemon's own last event. A replay that is killed goes on at the next.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use exeunt_ledger::{Slot, SlotStatus, Stage};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::os::fd::AsRawFd;

use super::Supervisor;
use super::member::{Dowry, Held, Later, Member, Why};
use crate::cause::Cause;
use crate::sys::{self, Polled};
use crate::{clock, log};

/// How long a process may take to be gone that was killed.
const PATIENCE: Duration = Duration::from_secs(5);
/// As wait(2) has it for a process that was killed.
const KILLED: i32 = 9;

/// What comes after the replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The daemon starts.
    Start,
    /// The program ends.
    End,
}

impl Supervisor {
    /// Begins to finish what is left over.
    pub(super) fn begin_replay(&mut self) {
        let left = self.files.left_over();
        // The generation that served last is the one whose modules see the daemon's end.
        let mut served = None;
        let mut found = Vec::new();
        for generation in left {
            match self.files.open_left_over(generation) {
                Ok((held, text, plan)) => {
                    if Stage::from_number(held.pages.header().stage.load(Relaxed))
                        != Stage::Retiring
                    {
                        served = Some(generation);
                    }
                    found.push((generation, held, text, plan));
                }
                Err(e) => {
                    log::error(format!("what generation {generation} left cannot be read: {e}"));
                    self.files.put_aside(generation);
                }
            }
        }
        for (generation, held, text, plan) in found {
            end_left_over_processes(&held);
            if Stage::from_number(held.pages.header().stage.load(Relaxed)) == Stage::Over {
                self.files.remove_generation(generation);
                continue;
            }
            log::warn(format!(
                "a daemon was killed: what its generation {generation} left is finished"
            ));
            bury(&held);
            let later = if served == Some(generation) { Later::Draining } else { Later::Retiring };
            if let Err(e) = self.start_replay(generation, held, text, &plan, later) {
                log::error(format!("no zygote for what generation {generation} left: {e}"));
                self.files.put_aside(generation);
            }
        }
    }

    fn start_replay(
        &mut self,
        generation: u64,
        held: Held,
        text: File,
        plan: &str,
        later: Later,
    ) -> io::Result<()> {
        let incarnation = held.pages.header().incarnation.get();
        let dowry = Dowry {
            generation,
            incarnation: &incarnation,
            runtime_dir: Some(&self.config.host.runtime_dir),
            config: &self.config.file,
            text,
            kept: plan,
            life: &self.life_end,
            why: Why::Adoption(later),
            passed: &self.passed,
            until: clock::after(clock::now(), self.config.reload.ready),
        };
        let mut member = Member::start(&self.executable, dowry)?;
        member.held = Some(held);
        self.members.push(member);
        Ok(())
    }

    /// When everything is finished: the start, or the end.
    pub(super) fn go_on_if_replayed(&mut self) {
        if !self.members.is_empty() {
            return;
        }
        let Some(then) = self.then.take() else { return };
        self.files.remove_left_over();
        let ended = match then {
            _ if self.endings > 0 => Some(Ok(ExitCode::SUCCESS)),
            Then::Start => self.start_first_generation().err().map(Err),
            Then::End => {
                log::info("nothing is owed");
                Some(Ok(ExitCode::SUCCESS))
            }
        };
        self.ended = ended.or(self.ended.take());
    }
}

/// Writes down that nobody works on the slots any more: their processes are gone.
fn bury(held: &Held) {
    for slot in held.used() {
        let identity = &slot.identity;
        match identity.status() {
            SlotStatus::Free | SlotStatus::Taken | SlotStatus::Closing => {}
            SlotStatus::Reserved => identity.set_status(SlotStatus::Free),
            SlotStatus::Open => {
                identity.set_order(Cause::SupervisorLost as u32, "", clock::now());
                if identity.wait_status().is_none() {
                    identity.set_wait_status(KILLED);
                }
            }
        }
        let worker = slot.takeover.worker.load(SeqCst);
        if worker != 0 {
            identity.set_runner_status(worker, KILLED);
        }
    }
}

/// Ends the processes that still have the ledger mapped: zygote, sessions, runners, spares. They would
/// end by themselves, but what they do meanwhile would be done twice.
fn end_left_over_processes(held: &Held) {
    let Ok(about) = held.ledger.metadata() else { return };
    // A slot that is free still has the numbers of those who had it.
    let used = held.used().iter().filter(|slot| slot.identity.status() != SlotStatus::Free);
    let known: Vec<i32> = used.flat_map(workers).filter(|pid| *pid != 0).collect();
    // A second look, for a runner that the zygote put on a chain during the first.
    for _ in 0..2 {
        let Ok(entries) = fs::read_dir("/proc") else { return };
        let own = std::process::id().cast_signed();
        let names = entries.flatten().map(|entry| entry.file_name());
        let numbers = names.filter_map(|name| name.to_string_lossy().parse().ok());
        for number in numbers.filter(|n| *n != own && works_on(*n, about.ino(), &known)) {
            end(number);
        }
    }
}

/// The processes that a slot names.
fn workers(slot: &Slot) -> [i32; 2] {
    let (session, runner) = (&slot.identity.pid, &slot.takeover.worker);
    [session.load(Relaxed).cast_signed(), runner.load(SeqCst).cast_signed()]
}

/// Whether a process has the ledger mapped. One that does not let its maps be read (sessions of a
/// daemon without root do not) is recognised by its number in the ledger and its name.
fn works_on(number: i32, inode: u64, known: &[i32]) -> bool {
    match fs::read_to_string(format!("/proc/{number}/maps")) {
        Ok(maps) => {
            let inode = inode.to_string();
            maps.lines().any(|line| line.split_whitespace().nth(4) == Some(&inode))
        }
        Err(_) => {
            let name = fs::read_to_string(format!("/proc/{number}/comm")).unwrap_or_default();
            known.contains(&number) && name.starts_with("exeunt-")
        }
    }
}

fn end(number: i32) {
    let Some(pid) = Pid::from_raw(number) else { return };
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    log::warn(format!("process {number} of the daemon that was killed is ended"));
    // It may have ended meanwhile.
    let _gone = pidfd_send_signal(&process, Signal::KILL);
    let mut polled = [Polled::reading(process.as_raw_fd())];
    let _waited = sys::poll(&mut polled, Some(PATIENCE));
}
