//! Deaths among the supervisor's children: zygotes, and the sessions and runners of a zygote that
//! died. How an orphan died is written into its generation's ledger before it is reaped; the zygote
//! that goes on is told, or finds it there.

use std::process::ExitCode;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use exeunt_ledger::{Slot, SlotStatus};
use nix::unistd::Pid;

use super::member::{Member, Role, Why};
use super::{Failure, Supervisor, tell};
use crate::channel::Message;
use crate::clock::{self, Moment};
use crate::log;
use crate::reap::{self, Fate};

/// How long to wait before a zygote is started again that could not be, or that died at once.
const PAUSE: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Looks at every child that has died.
    pub(super) fn reap_all(&mut self) {
        while let Some((pid, fate)) = reap::peek() {
            if self.members.iter().any(|member| member.pid == pid.as_raw()) {
                // What it said with its last breath counts.
                let _unreadable = self.hear(pid.as_raw());
                reap::end_group(pid);
                reap::reap(pid);
                self.zygote_died(pid.as_raw(), fate);
            } else {
                self.bury(pid, fate);
            }
        }
    }

    /// An orphan: if it worked on a slot, its generation gets to know.
    fn bury(&self, pid: Pid, fate: Fate) {
        let mut place = None;
        for member in &self.members {
            let Some(held) = &member.held else { continue };
            let number = pid.as_raw().cast_unsigned();
            // One that was buried has its number no more.
            let is_runner = |slot: &Slot| {
                slot.takeover.worker.load(SeqCst) == number
                    && slot.identity.runner_status().is_none()
            };
            let is_session = |slot: &Slot| {
                let status = slot.identity.status();
                let lives = matches!(status, SlotStatus::Reserved | SlotStatus::Open)
                    && slot.identity.wait_status().is_none();
                lives && slot.identity.pid.load(Relaxed) == number
            };
            let mut used = held.used().iter().enumerate();
            let found = used.find(|(_, slot)| {
                slot.identity.status() != SlotStatus::Free && (is_runner(slot) || is_session(slot))
            });
            if let Some((index, slot)) = found {
                if is_runner(slot) {
                    slot.identity.set_runner_status(number, fate.raw());
                } else {
                    slot.identity.set_wait_status(fate.raw());
                }
                place = Some((member, index));
                break;
            }
        }
        if place.is_some() {
            reap::end_group(pid);
        }
        reap::reap(pid);
        // One that has not been committed to looks at the ledger itself.
        if let Some((member, index)) = place
            && !matches!(member.role, Role::Starting(_))
        {
            tell(member, Message::Died { slot: index as u64 });
        }
    }

    fn zygote_died(&mut self, pid: i32, fate: Fate) {
        let Some(place) = self.members.iter().position(|member| member.pid == pid) else { return };
        let member = &self.members[place];
        let is_candidate =
            matches!(member.role, Role::Starting(_) | Role::Preparing | Role::Waiting);
        if is_candidate {
            let text = member.epitaph(&format!("the process ended ({})", fate.text()));
            return self.refuse(pid, Failure::refused(text));
        }
        let open = member.held.as_ref().map_or(0, |held| held.pages.header().open.load(Relaxed));
        let may_leave = matches!(member.role, Role::Retiring | Role::Leaving);
        if may_leave && open == 0 && fate == Fate::Exited(0) {
            return self.generation_is_over(place);
        }
        let member = self.members.remove(place);
        log::error(format!(
            "the zygote of generation {} died ({}) with {open} open sessions; another goes on",
            member.generation,
            fate.text()
        ));
        self.start_adoption(member);
    }

    fn generation_is_over(&mut self, place: usize) {
        let member = self.members.remove(place);
        self.files.remove_generation(member.generation);
        if self.then.is_some() {
            log::info(format!("generation {} is finished", member.generation));
            self.finish_if_last();
            return self.go_on_if_replayed();
        }
        if member.role == Role::Leaving {
            log::info("ended");
            self.ended = Some(Ok(ExitCode::SUCCESS));
        } else {
            log::info(format!("generation {} is over", member.generation));
            self.forget_modules();
            self.finish_if_last();
        }
    }

    fn start_adoption(&mut self, dead: Member) {
        if let Err((dead, e)) = self.adopt(Box::new(dead)) {
            self.adoption_failed(*dead, &format!("the zygote cannot be started: {e}"));
        }
    }

    /// It is tried again until it succeeds: chains are owed. The dead member keeps its place.
    pub(super) fn adoption_failed(&mut self, mut member: Member, why: &str) {
        if self.then.is_some() {
            log::error(format!(
                "what generation {} left cannot be finished, its ledger is put aside: {why}",
                member.generation
            ));
            self.files.put_aside(member.generation);
            self.finish_if_last();
            return self.go_on_if_replayed();
        }
        log::error(format!("generation {} is tried again in a second: {why}", member.generation));
        member.line.close();
        member.why = Why::Adoption(member.later());
        member.role = Role::Preparing;
        self.respawns.push((member.generation, clock::after(clock::now(), PAUSE)));
        // No process has this number: it cannot be mistaken for one.
        member.pid = -i32::try_from(member.generation).unwrap_or(i32::MAX);
        self.members.push(member);
    }

    /// Starts the zygotes whose pause is over.
    pub(super) fn respawn_due(&mut self, now: Moment) {
        let due: Vec<u64> =
            self.respawns.extract_if(.., |(_, at)| *at <= now).map(|(number, _)| number).collect();
        for generation in due {
            let place = self.members.iter().position(|m| m.generation == generation && m.pid < 0);
            if let Some(place) = place {
                let dead = self.members.remove(place);
                self.start_adoption(dead);
            }
        }
    }
}
