//! What must be true in the end: compared are what each client saw, what the listeners themselves
//! wrote down when they were entered, and the journal.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::killer::Killed;
use super::visit::Visit;
use super::watch::Line;
use crate::summary::Summary;

/// How long a process may take to die that was killed: the machine is busy.
const DYING: Duration = Duration::from_secs(5);

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
pub(super) struct Told {
    pub(super) at: Instant,
    pub(super) value: Value,
}

/// What has been counted.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) entries: usize,
    pub(super) double: usize,
    pub(super) disorder: usize,
    pub(super) missing: usize,
    pub(super) twice: usize,
    pub(super) torn: usize,
    pub(super) again: usize,
    /// Interrupted listeners, by who ran them.
    pub(super) interrupted: HashMap<String, usize>,
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
        self.figures(told.len(), &counts, summary);
        self.times(&by_peer, summary);
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
        let (mut all, mut torn) = (HashMap::new(), Vec::new());
        for line in self.journal {
            let value: Value = serde_json::from_str(&line.text).unwrap_or_default();
            let Some(session) = value["session"].as_str().map(str::to_owned) else {
                torn.push(&*line.text);
                continue;
            };
            if all.insert(session.clone(), Told { at: line.at, value }).is_some() {
                counts.twice += 1;
                summary.violation(format!("{session} is in the journal twice"));
            }
        }
        // The kernel may end a write between two pages if the writer is killed: whoever comes next ends
        // the line, and writes it again.
        for part in torn.into_iter().filter(|part| !part.is_empty()) {
            let begin = part.strip_prefix("{\"session\":\"").unwrap_or_default();
            let session = begin.split('"').next().unwrap_or_default();
            counts.torn += 1;
            summary.require(all.contains_key(session), || format!("no line: {part:?}"));
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
        let known =
            self.visits.iter().filter(|v| all.contains_key(&*v.address.to_string())).count();
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
            let begun = visit.begun - DYING;
            all.iter().any(|at| begun <= *at && last.is_none_or(|last| *at <= last))
        };
        let Killed { spares, zygotes, supervisors, .. } = self.killed;
        let [spares, zygotes, supervisors] = [spares, zygotes, supervisors].map(|all| within(all));
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
            // Who starts again ends the zygotes that are left over.
            "zygote-lost" => (zygotes || supervisors) && !visit.logged_in,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "m/first s-1 7 attempt=1\n";
    const SECOND: &str = "m/second s-1 7 attempt=1\n";

    /// A listener as the journal has it.
    fn told(name: &str, outcome: &str, attempt: u64) -> String {
        format!(
            r#"{{"module":"m","listener":"{name}","outcome":"{outcome}","by":"session","attempt":{attempt}}}"#
        )
    }

    fn journal(cause: &str, listeners: &[String]) -> String {
        format!(
            r#"{{"session":"s-1","peer":"127.1.0.1:99","cause":"{cause}","sealed":true,"listeners":[{}]}}"#,
            listeners.join(",")
        )
    }

    /// What is wrong with one session, whose client was told goodbye.
    fn wrong(trace: &str, journal: &[String]) -> Vec<String> {
        let now = Instant::now();
        let visit = Visit {
            address: "127.1.0.1".parse().expect("an address"),
            begun: now,
            session: Some("s-1".to_owned()),
            cause: "client-quit",
            logged_in: true,
            killed: None,
            broken: None,
            over: now,
        };
        let turn = |name: &str| Turn { title: format!("m/{name}"), attempts: 2, by: &["session"] };
        let journal: Vec<_> =
            journal.iter().map(|text| Line { at: now, text: text.clone() }).collect();
        let mut summary = Summary::default();
        let evidence = Evidence {
            visits: &[visit],
            killed: &Killed::default(),
            roster: &[turn("first"), turn("second")],
            trace,
            journal: &journal,
            unsealed: 0,
        };
        evidence.judge(&mut summary);
        summary.violations
    }

    fn done() -> [String; 2] {
        [told("first", "done", 1), told("second", "done", 1)]
    }

    #[test]
    fn a_session_whose_listeners_ran_once_each_is_right() {
        let journal = [journal("client-quit", &done())];
        assert_eq!(wrong(&format!("{FIRST}{SECOND}"), &journal), [""; 0]);
    }

    #[test]
    fn an_entry_too_few_too_many_or_out_of_order_is_found() {
        let journal = [journal("client-quit", &done())];
        for trace in [FIRST, &format!("{SECOND}{FIRST}"), &format!("{FIRST}{SECOND}{SECOND}")] {
            assert!(!wrong(trace, &journal).is_empty(), "{trace}");
        }
    }

    #[test]
    fn one_that_was_interrupted_may_not_have_written_it_and_is_tried_again() {
        let again = [told("first", "interrupted", 1), told("first", "done", 2), done()[1].clone()];
        let trace = format!("m/first s-1 7 attempt=2\n{SECOND}");
        assert_eq!(wrong(&trace, &[journal("client-quit", &again)]), [""; 0]);
        let given_up = [again[0].clone(), done()[1].clone()];
        assert!(!wrong(SECOND, &[journal("client-quit", &given_up)]).is_empty());
    }

    #[test]
    fn no_line_two_lines_and_another_cause_are_found() {
        let (trace, right) = (format!("{FIRST}{SECOND}"), journal("client-quit", &done()));
        assert!(wrong(&trace, &[]).iter().any(|v| v.contains("no line")));
        let twice = wrong(&trace, &[right.clone(), right]);
        assert!(twice.iter().any(|v| v.contains("in the journal twice")), "{twice:?}");
        let other = wrong(&trace, &[journal("zygote-lost", &done())]);
        assert!(other.iter().any(|v| v.contains("zygote-lost is no cause")), "{other:?}");
    }

    #[test]
    fn a_torn_line_is_none_and_has_to_be_written_again() {
        let (trace, whole) = (format!("{FIRST}{SECOND}"), journal("client-quit", &done()));
        let torn = whole[..40].to_owned();
        assert_eq!(wrong(&trace, &[torn.clone(), String::new(), whole]), [""; 0]);
        assert!(wrong(&trace, &[torn]).iter().any(|v| v.contains("no line")));
    }
}
