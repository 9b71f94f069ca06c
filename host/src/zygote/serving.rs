//! The zygote's loop: what it waits for, what it does when that comes, and what is due without anybody
//! asking. What each of them means is in the other files of this room.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use super::daemon::DaemonEvent;
use super::{Phase, Zygote, deaths};
use crate::cause::Cause;
use crate::channel::{Message, Received};
use crate::sys::{self, Polled};
use crate::{clock, log, signals};

impl Zygote {
    /// Serves until there is nothing left to do.
    pub(super) fn live(&mut self) -> io::Result<()> {
        const FIXED: usize = 5;
        let mut polled: Vec<Polled> = Vec::new();
        while self.phase != Phase::Done || !self.children.is_empty() {
            let lost = matches!(self.phase, Phase::Lost | Phase::Done);
            polled.clear();
            polled.push(Polled::reading(self.deaths.as_raw_fd()));
            polled.push(Polled::reading(self.requests.as_raw_fd()));
            polled.push(Polled::reading(if lost { -1 } else { self.channel.as_raw_fd() }));
            polled.push(Polled::reading(if lost { -1 } else { self.life.as_raw_fd() }));
            let desk = if self.can_help() { self.help_desk.as_raw_fd() } else { -1 };
            polled.push(Polled::reading(desk));
            let active = self.phase == Phase::Active && self.accept_from <= clock::now();
            let listener =
                |l: &TcpListener| Polled::reading(if active { l.as_raw_fd() } else { -1 });
            polled.extend(self.listeners.iter().map(listener));
            sys::poll(&mut polled, self.next_moment())?;
            if polled[0].is_ready() {
                while signals::next(&self.deaths).is_some() {}
                self.reap_all();
            }
            if polled[1].is_ready() {
                self.take_requests();
            }
            if polled[2].is_ready() && !lost {
                self.take_messages()?;
            }
            if polled[3].is_ready() && !lost {
                self.supervisor_is_gone();
            }
            if polled[4].is_ready() {
                self.take_pleas();
            }
            for (listen, polled) in polled[FIXED..].iter().enumerate() {
                if polled.is_ready() && self.phase == Phase::Active {
                    self.accept(listen);
                }
            }
            self.keep_time();
            self.refill_spares();
        }
        Ok(())
    }

    fn take_messages(&mut self) -> io::Result<()> {
        loop {
            match self.channel.receive()? {
                Received::Nothing => return Ok(()),
                Received::End => {
                    self.supervisor_is_gone();
                    return Ok(());
                }
                Received::Message(message, with) => self.obey(message, with)?,
            }
        }
    }

    /// Does what the supervisor says.
    fn obey(&mut self, message: Message, with: Vec<OwnedFd>) -> io::Result<()> {
        match message {
            Message::Accept { after } => self.accept_from_now(after, with)?,
            Message::Pause => {
                self.phase = Phase::Paused;
                self.channel.send(Message::Paused, &[])?;
            }
            Message::Retire => self.retire(),
            Message::Drain { grace, cause } => {
                self.drain(Duration::from_millis(grace), Cause::from_number(cause));
            }
            Message::Finish => self.leave_with(DaemonEvent::Shutdown),
            Message::Kick { session, token } => {
                let found = self.kick(session);
                self.channel.send(Message::Kicked { found, token }, &[])?;
            }
            Message::Call => self.call_action(with),
            Message::Died { slot } => self.died_elsewhere(usize::try_from(slot).unwrap_or(0)),
            message => log::warn(format!("no answer to {message:?}")),
        }
        Ok(())
    }

    /// When something is to be done without a message.
    fn next_moment(&self) -> Option<Duration> {
        let now = clock::now();
        let order = self.order_at.map(|(moment, _)| moment);
        let retry = (!self.waiting.is_empty()).then(|| clock::after(now, deaths::RETRY));
        let refill = (self.wants_spares() && self.spares_from > now).then_some(self.spares_from);
        let accept = (self.accept_from > now).then_some(self.accept_from);
        let kill = self.kills.front().map(|kill| kill.at);
        let look = self.must_look().then(|| clock::after(now, deaths::RETRY));
        let next = [order, retry, refill, accept, kill, look].into_iter().flatten().min();
        next.map(|moment| clock::until(moment, now))
    }

    fn keep_time(&mut self) {
        let now = clock::now();
        if let Some((moment, cause)) = self.order_at
            && moment <= now
        {
            self.order_at = None;
            self.order_all(cause, "");
        }
        self.kill_the_overdue(now);
        if self.must_look() {
            self.look_for_the_adopted();
        }
        self.retry_runners();
        self.go_on_if_empty();
    }

    /// Whether there are deaths that nobody tells.
    fn must_look(&self) -> bool {
        self.has_adopted && self.phase == Phase::Lost && !self.children.is_empty()
    }
}
