//! From candidate to generation: what each message of a zygote brings about. The order of a change
//! is: the new one is ready, is committed to and runs its first event; the old one stops accepting;
//! the new one accepts; the old one finishes its sessions. Until then nothing has changed that cannot
//! be taken back.

use std::os::fd::{AsRawFd, RawFd};
use std::process::ExitCode;

use super::files::file_error;
use super::member::{Facts, Held, Later, Member, Role, Why};
use super::{Failure, Previous, Supervisor, tell};
use crate::cause::Cause;
use crate::channel::{Beginning, Message};
use crate::control::Reply;
use crate::{log, privileges};
use exeunt_ledger::Slot;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

impl Supervisor {
    pub(super) fn member(&mut self, pid: i32) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.pid == pid)
    }

    /// The zygote that accepts.
    pub(super) fn active(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.role == Role::Active)
    }

    pub(super) fn take_message(&mut self, pid: i32, message: Message) {
        let Some(member) = self.member(pid) else { return };
        match message {
            // One that goes on for another has its listens already.
            Message::Listen { address } if member.listens.contains(&address) => {}
            Message::Listen { address } => member.listens.push(address),
            Message::Ready { capacity, grace, generations } => {
                let grace = Duration::from_millis(grace);
                member.facts = Some(Facts { capacity, grace, generations });
                self.is_ready(pid);
            }
            Message::Refused => {
                let text =
                    member.report.text().unwrap_or_else(|e| format!("error: no report: {e}\n"));
                self.refuse(pid, Failure::refused(text));
            }
            Message::Prepared => self.is_prepared(pid),
            Message::Paused => self.change_over(),
            Message::Empty => {
                member.role = Role::Empty;
                self.finish_if_last();
            }
            Message::Kicked { found, token } => self.clients.kicked(token, found),
            message => log::warn(format!("no answer to {message:?}")),
        }
    }

    /// A candidate is ready: its sockets are bound and its files made, then it is committed to.
    fn is_ready(&mut self, pid: i32) {
        if let Err(failure) = self.commit(pid) {
            self.refuse(pid, failure);
        }
    }

    fn commit(&mut self, pid: i32) -> Result<(), Failure> {
        let Some(place) = self.members.iter().position(|member| member.pid == pid) else {
            return Ok(());
        };
        let listens = self.members[place].listens.clone();
        let why = self.members[place].why;
        if why == Why::Start || why == Why::Reload {
            self.bind_new(&listens, why == Why::Start)?;
        }
        let member = &mut self.members[place];
        member.plan = member.report.text().map_err(file_error("the plan cannot be read"))?;
        let (generation, facts) = (member.generation, member.facts);
        if member.held.is_none() {
            let capacity = facts.map_or(0, |facts| facts.capacity);
            member.held = Some(self.files.create(generation, capacity, &self.incarnation)?);
            self.files.write_plan(generation, &member.plan, &member.text)?;
        }
        let beginning = match why {
            Why::Start => Beginning::Startup,
            Why::Reload => Beginning::Restart,
            Why::Adoption(_) if self.then.is_some() => Beginning::Replay,
            Why::Adoption(_) => Beginning::Adoption,
        };
        let Some(held) = &member.held else { return Ok(()) };
        let mut with = held.descriptors().to_vec();
        let sockets = &self.sockets;
        let socket = |wanted| sockets.iter().find(|(address, _)| *address == wanted);
        with.extend(listens.iter().filter_map(|l| socket(*l)).map(|(_, s)| s.as_raw_fd()));
        member.role = Role::Preparing;
        let sent = member.line.send(Message::Commit(beginning), &with);
        sent.map_err(file_error("the zygote cannot be told to serve"))
    }

    /// A committed zygote can serve.
    fn is_prepared(&mut self, pid: i32) {
        let ending = self.endings > 0;
        let Some(member) = self.member(pid) else { return };
        match member.why {
            Why::Adoption(later) => {
                self.go_on(pid, if ending { later.at_the_end() } else { later });
                self.close_unused_sockets();
            }
            Why::Start | Why::Reload => {
                member.role = Role::Waiting;
                match self.active() {
                    Some(active) => tell(active, Message::Pause),
                    None => self.change_over(),
                }
            }
        }
    }

    /// A zygote goes on in the role of the one that died.
    fn go_on(&mut self, pid: i32, later: Later) {
        let drain = Message::Drain { grace: 0, cause: Cause::DaemonShutdown as u32 };
        let Some(member) = self.member(pid) else { return };
        match later {
            Later::Active => self.accept_again(pid),
            Later::Retiring => {
                member.role = Role::Retiring;
                tell(member, Message::Retire);
            }
            Later::Draining => {
                member.role = Role::Draining;
                tell(member, drain);
            }
            Later::Leaving => {
                member.role = Role::Leaving;
                tell(member, Message::Finish);
            }
        }
    }

    /// The generation that accepted goes on. If its zygote died while the next generation was waiting
    /// for it to stop, it has stopped.
    fn accept_again(&mut self, pid: i32) {
        let Some(member) = self.member(pid) else { return };
        member.role = Role::Active;
        if self.members.iter().any(|member| member.role == Role::Waiting) {
            self.change_over();
        } else {
            self.let_accept(pid);
        }
    }

    /// The generation that waits accepts; the one before it finishes its sessions.
    fn change_over(&mut self) {
        let Some(new) = self.members.iter().position(|m| m.role == Role::Waiting) else { return };
        let accepts = |member: &Member| member.is_living() && member.later() == Later::Active;
        let old = self.members.iter().position(accepts);
        let pid = self.members[new].pid;
        if let Some(old) = old {
            let member = &mut self.members[old];
            match member.role {
                Role::Active => member.role = Role::Retiring,
                // Its zygote died, and the next has not begun: it will only have to finish.
                _ => member.why = Why::Adoption(Later::Retiring),
            }
            if let Ok(text) = member.text.try_clone() {
                self.previous = Some(Previous { text, plan: member.plan.clone() });
            }
        }
        self.let_accept(pid);
        if let Some(old) = old
            && self.members[old].role == Role::Retiring
        {
            tell(&self.members[old], Message::Retire);
        }
        self.close_unused_sockets();
        self.forget_modules();
        self.tell_that_it_serves(pid);
    }

    fn let_accept(&mut self, pid: i32) {
        let held = self.members.iter().filter_map(|member| member.held.as_ref());
        let numbers = held.map(|held| held.pages.header().next_session.load(Relaxed));
        let after = numbers.max().unwrap_or(0);
        let older: Vec<RawFd> = self
            .members
            .iter()
            .filter(|member| member.pid != pid && member.is_living())
            .filter_map(|member| member.held.as_ref())
            .map(|held| held.ledger_to_read.as_raw_fd())
            .collect();
        let Some(member) = self.member(pid) else { return };
        member.role = Role::Active;
        if let Err(e) = member.line.send(Message::Accept { after }, &older) {
            log::error(format!("generation {} cannot be told to accept: {e}", member.generation));
        }
    }

    fn tell_that_it_serves(&mut self, pid: i32) {
        let file = self.config.file.display().to_string();
        let Some(member) = self.member(pid) else { return };
        let (generation, why) = (member.generation, member.why);
        if why == Why::Start {
            for (address, _) in &self.sockets {
                log::info(format!("listens on {address}"));
            }
            if !privileges::are_root() {
                log::info("started without root: sessions keep this user; no ports below 1024");
            }
            log::info(format!("serves with {file}; pid {}", std::process::id()));
        } else {
            // Where the log was moved away, a new file begins.
            if let Err(e) = log::open(&self.config.log) {
                log::warn(format!("the supervisor's log cannot be opened anew: {e}"));
            }
            log::info(format!("generation {generation} serves with {file}"));
        }
        self.notify_serving();
        if let Some(client) = self.reloading.take() {
            Reply::done(format!("generation {generation}")).send(&client);
        }
        if self.endings > 0 {
            self.end(Some(Duration::ZERO));
        }
    }

    /// A candidate is not wanted: it failed, or its files could not be made. A running generation
    /// goes on as if nothing had been.
    pub(super) fn refuse(&mut self, pid: i32, failure: Failure) {
        let Some(place) = self.members.iter().position(|member| member.pid == pid) else { return };
        let member = self.members.remove(place);
        member.end();
        match member.why {
            Why::Start => self.ended = Some(Err(failure)),
            Why::Reload => {
                self.files.remove_generation(member.generation);
                if member.role == Role::Waiting
                    && let Some(active) = self.active().map(|active| active.pid)
                {
                    self.let_accept(active);
                }
                self.close_unused_sockets();
                self.forget_modules();
                log::error(format!(
                    "the reload was refused, nothing has changed:\n{}",
                    failure.text
                ));
                self.notify_refused(&failure.text);
                if let Some(client) = self.reloading.take() {
                    let unusable = failure.status == 4;
                    let reply = if unusable { Reply::unusable } else { Reply::refused };
                    reply(failure.text).send(&client);
                }
            }
            Why::Adoption(_) => self.adoption_failed(member, &failure.text),
        }
    }

    /// Removes the kept modules that no generation may need again. While one is starting, nobody knows
    /// which it keeps.
    pub(super) fn forget_modules(&self) {
        if self.members.iter().any(|member| matches!(member.role, Role::Starting(_))) {
            return;
        }
        let plans = self.members.iter().map(|member| &*member.plan);
        let plans: Vec<&str> = plans.chain(self.previous.iter().map(|p| &*p.plan)).collect();
        self.files.keep_modules_of(&plans);
    }

    /// A candidate has not become ready in time.
    pub(super) fn is_late(&mut self, pid: i32) {
        let Some(member) = self.member(pid) else { return };
        let text = member.epitaph("the time to become ready was over ([reload] ready)");
        self.refuse(pid, Failure::refused(text));
    }

    /// Nothing new begins any more.
    pub(super) fn give_up_candidates(&mut self, why: &str) {
        let candidate = |member: &&Member| !member.is_living();
        let pids: Vec<i32> = self.members.iter().filter(candidate).map(|m| m.pid).collect();
        for pid in pids {
            let starts = self.member(pid).is_some_and(|member| member.why == Why::Start);
            self.refuse(pid, Failure::no(format!("error: {why}\n")));
            if starts {
                self.ended = Some(Ok(ExitCode::SUCCESS));
            }
        }
    }

    /// When the last generation but one is gone, the last one runs `core.shutdown` and leaves.
    pub(super) fn finish_if_last(&mut self) {
        if let [last] = &mut self.members[..]
            && last.role == Role::Empty
        {
            last.role = Role::Leaving;
            tell(last, Message::Finish);
        }
    }
}

impl Later {
    /// The role in which a zygote goes on when the daemon is ending.
    fn at_the_end(self) -> Self {
        if self == Later::Active { Later::Draining } else { self }
    }
}

impl Held {
    /// The slots that were ever used. The others have no room yet, and are not to be touched.
    pub(super) fn used(&self) -> &[Slot] {
        let used = self.pages.header().used.load(Relaxed) as usize;
        let slots = self.pages.slots();
        &slots[..used.clamp(1, slots.len())]
    }

    /// What a zygote is given of them.
    pub(super) fn descriptors(&self) -> [RawFd; 3] {
        [self.ledger.as_raw_fd(), self.ledger_to_read.as_raw_fd(), self.scoreboard.as_raw_fd()]
    }
}
