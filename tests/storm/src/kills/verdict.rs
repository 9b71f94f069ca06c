//! What must be true in the end: compared are what each client saw, what the listeners themselves
//! wrote down when they were entered, and the journal.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::Value;

use super::killer::Killed;
use super::visit::{Point, Visit};
use super::watch::Line;
use crate::summary::{Summary, spread};

/// A listener.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    /// Module and name.
    pub(super) title: String,
    /// How often it may be tried.
    pub(super) attempts: u64,
    /// Who may run it.
    pub(super) by: &'static [&'static str],
}

/// Everything that there is to compare.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    pub(super) visits: &'a [Visit],
    pub(super) killed: &'a Killed,
    /// The listeners in their order.
    pub(super) roster: &'a [Turn],
    /// What the listeners wrote.
    pub(super) trace: &'a str,
    pub(super) journal: &'a [Line],
    /// Slots that are somebody's when nobody is there.
    pub(super) unsealed: usize,
}

/// A session as the journal tells it.
struct Told {
    at: Instant,
    value: Value,
}

/// What has been counted.
#[derive(Default)]
struct Counts {
    entries: usize,
    double: usize,
    disorder: usize,
    missing: usize,
    twice: usize,
    again: usize,
    /// Interrupted listeners, by who ran them.
    interrupted: HashMap<String, usize>,
}

impl Evidence<'_> {
    /// Compares, and adds what it finds.
    pub(super) fn judge(&self, summary: &mut Summary) {
        let mut counts = Counts::default();
        let entered = self.entered(&mut counts, summary);
        let told = self.told(&mut counts, summary);
        for (session, told) in &told {
            let entered = entered.get(&**session).map_or(&[][..], Vec::as_slice);
            self.judge_chain(session, entered, &told.value, &mut counts, summary);
        }
        for session in entered.keys().filter(|session| !told.contains_key(**session)) {
            counts.missing += 1;
            summary.violation(format!("{session}: listeners ran, and the journal has no line"));
        }
        let by_peer = self.by_peer(&told, summary);
        for visit in self.visits {
            self.judge_visit(visit, by_peer.get(&*visit.address.to_string()), &mut counts, summary);
        }
        let unsealed = self.unsealed;
        summary.require(unsealed == 0, || format!("{unsealed} slots are not sealed"));
        self.figures(told.len(), &counts, &by_peer, summary);
    }

    /// The listeners that each session entered, with the attempt, in the order in which they did.
    fn entered(
        &self,
        counts: &mut Counts,
        summary: &mut Summary,
    ) -> HashMap<&str, Vec<(&str, u64)>> {
        let mut all: HashMap<&str, Vec<(&str, u64)>> = HashMap::new();
        for line in self.trace.lines() {
            let mut words = line.split(' ');
            let (Some(title), Some(session)) = (words.next(), words.next()) else {
                summary.violation(format!("no line of a listener: {line:?}"));
                continue;
            };
            if session == "daemon" {
                continue;
            }
            let attempt = words.find_map(|word| word.strip_prefix("attempt="));
            let attempt = attempt.map_or(Some(1), |number| number.parse().ok()).unwrap_or(0);
            let of_session = all.entry(session).or_default();
            if of_session.contains(&(title, attempt)) {
                counts.double += 1;
                summary.violation(format!("{session}: {title} was entered twice: {attempt}"));
            }
            counts.entries += 1;
            of_session.push((title, attempt));
        }
        all
    }

    fn told(&self, counts: &mut Counts, summary: &mut Summary) -> HashMap<String, Told> {
        let mut all = HashMap::new();
        for line in self.journal {
            let value: Value = serde_json::from_str(&line.text).unwrap_or_default();
            let Some(session) = value["session"].as_str().map(str::to_owned) else {
                summary.violation(format!("no line of the journal: {:?}", line.text));
                continue;
            };
            if all.insert(session.clone(), Told { at: line.at, value }).is_some() {
                counts.twice += 1;
                summary.violation(format!("{session} is in the journal twice"));
            }
        }
        all
    }

    /// The journal has every listener in its order, with as many attempts as it needed; the listeners
    /// that were entered are these. One that was killed at once may not have come to write it.
    fn judge_chain(
        &self,
        session: &str,
        entered: &[(&str, u64)],
        told: &Value,
        counts: &mut Counts,
        summary: &mut Summary,
    ) {
        let mut listeners = told["listeners"].as_array().into_iter().flatten().peekable();
        let mut entered = entered.iter().peekable();
        let mut right = told["sealed"] == true;
        for turn in self.roster {
            let mut is_done = false;
            for attempt in 1..=turn.attempts {
                if is_done {
                    break;
                }
                let Some(listener) = listeners.next() else {
                    right = false;
                    break;
                };
                let text = |key: &str| listener[key].as_str().unwrap_or_default();
                let title = format!("{}/{}", text("module"), text("listener"));
                let (outcome, by) = (text("outcome"), text("by"));
                is_done = outcome == "done";
                let was_interrupted = outcome == "interrupted";
                right &= title == turn.title && listener["attempt"] == attempt;
                right &= (is_done || was_interrupted) && turn.by.contains(&by);
                let was_entered = entered.next_if(|e| **e == (&*turn.title, attempt)).is_some();
                right &= was_entered || was_interrupted;
                counts.again += usize::from(attempt > 1);
                if was_interrupted {
                    *counts.interrupted.entry(by.to_owned()).or_default() += 1;
                }
            }
        }
        let rest: Vec<_> = entered.collect();
        if !right || listeners.next().is_some() || !rest.is_empty() {
            counts.disorder += 1;
            summary.violation(format!("{session}: {rest:?} are out of order in {told}"));
        }
    }

    /// The sessions by their clients, each of which had one at most.
    fn by_peer<'t>(
        &self,
        told: &'t HashMap<String, Told>,
        summary: &mut Summary,
    ) -> HashMap<&'t str, (&'t str, &'t Told)> {
        let mut all = HashMap::new();
        for (session, told) in told {
            let peer = told.value["peer"].as_str().unwrap_or_default();
            let address = peer.rsplit_once(':').map_or(peer, |(address, _)| address);
            if all.insert(address, (&**session, told)).is_some() {
                summary.violation(format!("{address} had two sessions"));
            }
        }
        let known = self.visits.iter().filter(|v| all.contains_key(&*v.address.to_string())).count();
        let strangers = all.len() - known;
        summary.require(strangers == 0, || format!("{strangers} sessions of unknown clients"));
        all
    }

    fn judge_visit(
        &self,
        visit: &Visit,
        told: Option<&(&str, &Told)>,
        counts: &mut Counts,
        summary: &mut Summary,
    ) {
        let address = visit.address;
        let last = told.map(|(_, told)| told.at);
        let within = |all: &[Instant]| {
            all.iter().any(|at| visit.begun <= *at && last.is_none_or(|last| *at <= last))
        };
        let [spares, zygotes, supervisors] =
            [&self.killed.spares, &self.killed.zygotes, &self.killed.supervisors].map(|k| within(k));
        let disturbed = spares || zygotes || supervisors || visit.killed.is_some();
        let Some((session, told)) = told else {
            // One that nobody has greeted may have waited at the door of somebody who died.
            if visit.session.is_some() || !disturbed {
                counts.missing += 1;
                summary.violation(format!("{address} has no line in the journal: {visit:?}"));
            }
            return;
        };
        let same = visit.session.as_deref().is_none_or(|own| own == *session);
        summary.require(same, || format!("{session} is another session than {visit:?}"));
        let cause = told.value["cause"].as_str().unwrap_or_default();
        let is_right = match cause {
            _ if cause == visit.cause => true,
            "signal" => visit.killed.is_some() || spares || supervisors,
            "zygote-lost" => zygotes && !visit.logged_in,
            "supervisor-lost" => supervisors,
            // The client was not fast enough, or never knew.
            "timeout-idle" => told.at - visit.begun >= super::IDLE,
            "client-eof" | "client-reset" => visit.broken.is_some() || visit.killed.is_some(),
            _ => false,
        };
        summary.require(is_right, || format!("{session}: {cause} is no cause for {visit:?}"));
        let unbroken = visit.broken.is_none() || disturbed || cause == "timeout-idle";
        summary.require(unbroken, || format!("{session} broke: {visit:?}"));
    }

    fn figures(
        &self,
        sessions: usize,
        counts: &Counts,
        by_peer: &HashMap<&str, (&str, &Told)>,
        summary: &mut Summary,
    ) {
        let killed = |point: Point| {
            self.visits.iter().filter(|v| v.killed.is_some_and(|(_, at)| at == point)).count()
        };
        let [idle, command, end] = [Point::Idle, Point::Command, Point::End].map(killed);
        let hit = |by: &str| counts.interrupted.get(by).copied().unwrap_or(0);
        summary.figure("sessions", sessions);
        summary.figure("sessions killed while idle, in a command", format!("{idle}, {command}"));
        let in_session = hit("session");
        summary.figure(
            "sessions killed in their end",
            format!("{end}, in a listener {in_session}{}", share(in_session, end)),
        );
        let (runners, in_runner) = (self.killed.runners, hit("runner") + hit("root-runner"));
        summary.figure(
            "runners killed",
            format!("{runners}, listeners interrupted in runners {in_runner}, of these as root {}", hit("root-runner")),
        );
        let Killed { spares, zygotes, supervisors, everything, reloads, .. } = self.killed;
        summary.figure("spares and unasked sessions killed", spares.len());
        summary.figure("zygotes killed", zygotes.len());
        let supervisors = supervisors.len();
        summary.figure(
            "supervisors killed",
            format!("{supervisors}, with everything {everything}"),
        );
        summary.figure("reloads", reloads);
        summary.figure("entries, second attempts", format!("{}, {}", counts.entries, counts.again));
        summary.figure("double entries", counts.double);
        summary.figure("order violations", counts.disorder);
        summary.figure("unsealed slots", self.unsealed);
        let Counts { missing, twice, .. } = counts;
        summary.figure("journal lines missing, double", format!("{missing}, {twice}"));
        if summary.violations.is_empty() {
            let bound = 300.0 / sessions.max(1) as f64;
            summary.figure("rate at 95 %, below 3/N", format!("{bound:.4} % of sessions"));
        }
        self.times(by_peer, summary);
    }

    /// From the death of a session that left something to do to its line in the journal.
    fn times(&self, by_peer: &HashMap<&str, (&str, &Told)>, summary: &mut Summary) {
        let (mut all, mut alone) = (Vec::new(), Vec::new());
        for visit in self.visits {
            let Some((at, _)) = visit.killed else { continue };
            let Some((_, told)) = by_peer.get(&*visit.address.to_string()) else { continue };
            let left_something = told.value["cause"] == "signal"
                || told.value["listeners"].as_array().is_some_and(|all| {
                    all.iter().any(|l| l["by"] == "session" && l["outcome"] == "interrupted")
                });
            if left_something && at <= told.at {
                let took = (told.at - at).as_secs_f64() * 1e3;
                all.push(took);
                let others = self.killed.zygotes.iter().chain(&self.killed.supervisors);
                if !others.into_iter().any(|other| at <= *other && *other <= told.at) {
                    alone.push(took);
                }
            }
        }
        summary.figure("death to sealed, no other death", spread(alone));
        summary.figure("death to sealed, all", spread(all));
    }
}

fn share(part: usize, whole: usize) -> String {
    if whole == 0 { String::new() } else { format!(" ({:.0} %)", part as f64 * 100.0 / whole as f64) }
}
