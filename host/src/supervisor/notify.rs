//! What the service manager is told: that the daemon serves, reloads or ends, and in one line how it
//! is. Without a service manager that wants to know, nothing is told.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use sd_notify::NotifyState;

use super::Supervisor;
use super::member::Why;
use crate::clock::{self, Moment};
use crate::log;

/// The variables by which a service manager speaks with the process that it starts.
pub(super) const VARIABLES: [&str; 4] =
    ["NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// How often it is told how many sessions are open.
const PERIOD: Duration = Duration::from_secs(5);

/// What the service manager knows.
pub(super) struct Notifier {
    /// When to look whether the line is still true; never if nobody listens.
    next: Option<Moment>,
    /// The line that was told last.
    told: String,
    /// Why the last reload was refused.
    refused: Option<String>,
    /// It could not be told.
    failed: bool,
}

impl Notifier {
    pub(super) fn new() -> Self {
        let is_wanted = std::env::var_os(VARIABLES[0]).is_some();
        let next = is_wanted.then(|| clock::after(clock::now(), PERIOD));
        Self { next, told: String::new(), refused: None, failed: false }
    }

    /// When the line is looked at again.
    pub(super) fn next_moment(&self) -> Option<Duration> {
        self.next.map(|moment| clock::until(moment, clock::now()))
    }

    fn tell(&mut self, news: &[NotifyState<'_>], line: String) {
        if self.next.is_none() {
            return;
        }
        let mut all = news.to_vec();
        all.push(NotifyState::Status(&line));
        match sd_notify::notify(&all) {
            Err(e) if !self.failed => {
                self.failed = true;
                log::warn(format!("the service manager cannot be told that {line}: {e}"));
            }
            _ => {}
        }
        self.told = line;
        self.next = Some(clock::after(clock::now(), PERIOD));
    }
}

impl Supervisor {
    /// A new generation serves.
    pub(super) fn notify_serving(&mut self) {
        self.notifier.refused = None;
        self.notify(&[NotifyState::Ready]);
    }

    /// A reload begins.
    pub(super) fn notify_reloading(&mut self) {
        let news = NotifyState::monotonic_usec_now().map(|now| [NotifyState::Reloading, now]);
        self.notify(news.as_ref().map_or(&[], |news| news));
    }

    /// The reload is over; the generation that served serves on.
    pub(super) fn notify_refused(&mut self, why: &str) {
        let first = why.lines().next().unwrap_or_default();
        let first = first.strip_prefix("error: ").unwrap_or(first);
        self.notifier.refused = Some(first.to_owned());
        self.notify(&[NotifyState::Ready]);
    }

    /// The daemon ends.
    pub(super) fn notify_ending(&mut self) {
        self.notify(&[NotifyState::Stopping]);
    }

    /// Another program goes on in this process.
    pub(super) fn notify_new_program(&mut self) {
        self.notify(&[NotifyState::MainPid(std::process::id()), NotifyState::Ready]);
    }

    /// Tells how it is, if that has changed.
    pub(super) fn notify_change(&mut self, now: Moment) {
        if self.notifier.next.is_none_or(|next| next > now) {
            return;
        }
        self.notifier.next = Some(clock::after(now, PERIOD));
        if self.how_it_is() != self.notifier.told {
            self.notify(&[]);
        }
    }

    fn notify(&mut self, news: &[NotifyState<'_>]) {
        let line = self.how_it_is();
        self.notifier.tell(news, line);
    }

    /// The daemon in one line.
    fn how_it_is(&self) -> String {
        let held = self.members.iter().filter_map(|member| member.held.as_ref());
        let open: u64 = held.map(|held| held.pages.header().open.load(Relaxed)).sum();
        let sessions = format!("{open} session{}", if open == 1 { "" } else { "s" });
        if self.endings > 0 {
            return format!("the daemon ends, {sessions}");
        }
        let serves = match self.active() {
            Some(active) => format!("generation {} serves, {sessions}", active.generation),
            None if self.members.iter().any(|m| m.why == Why::Start && !m.is_living()) => {
                "the daemon starts".to_owned()
            }
            None => format!("no generation serves at this moment, {sessions}"),
        };
        match &self.notifier.refused {
            Some(why) => format!("{serves}; the last reload was refused: {why}"),
            None => serves,
        }
    }
}
