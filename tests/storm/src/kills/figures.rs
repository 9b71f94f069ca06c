//! The figures of a storm of kills: how much of what was killed, what it hit, how long it took.

use std::collections::HashMap;

use super::killer::Killed;
use super::verdict::{Counts, Evidence, Told};
use super::visit::Point;
use crate::summary::{Summary, spread};

impl Evidence<'_> {
    pub(super) fn figures(&self, sessions: usize, counts: &Counts, summary: &mut Summary) {
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
            format!(
                "{runners}, listeners interrupted in runners {in_runner}, of these as root {}",
                hit("root-runner")
            ),
        );
        let Killed { spares, zygotes, supervisors, everything, reloads, .. } = self.killed;
        summary.figure("spares and unasked sessions killed", spares.len());
        summary.figure("zygotes killed", zygotes.len());
        let supervisors = supervisors.len();
        summary
            .figure("supervisors killed", format!("{supervisors}, with everything {everything}"));
        summary.figure("reloads", reloads);
        summary.figure("entries, second attempts", format!("{}, {}", counts.entries, counts.again));
        summary.figure("double entries", counts.double);
        summary.figure("order violations", counts.disorder);
        summary.figure("unsealed slots", self.unsealed);
        let Counts { missing, twice, torn, .. } = counts;
        summary.figure("journal lines missing, double", format!("{missing}, {twice}"));
        summary.figure("journal lines torn, and written again", torn);
        if summary.violations.is_empty() {
            let bound = 300.0 / sessions.max(1) as f64;
            summary.figure("rate at 95 %, below 3/N", format!("{bound:.4} % of sessions"));
        }
    }

    /// From the death of a session that left something to do to its line in the journal.
    pub(super) fn times(&self, by_peer: &HashMap<&str, (&str, &Told)>, summary: &mut Summary) {
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
    if whole == 0 {
        String::new()
    } else {
        format!(" ({:.0} %)", part as f64 * 100.0 / whole as f64)
    }
}
