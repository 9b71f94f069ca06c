//! What is looked at when the storm is over.

use std::fs;

use super::Storm;
use crate::load::Session;
use crate::oracle::{self, Evidence};
use crate::processes::{self, Holds};

impl Storm {
    pub(super) fn compare(&mut self, sessions: &[Session]) {
        let listeners: Vec<String> =
            ["mark00/first", "mark00/second", "mark01/first", "mark01/second"]
                .map(str::to_owned)
                .into();
        let evidence = Evidence {
            sessions,
            served: &self.served,
            kills: &self.kills,
            listeners: &listeners,
            trace: &self.daemon.site.read("trace"),
            journal: &self.daemon.site.read("state/exits.jsonl"),
        };
        oracle::judge(&evidence, &mut self.summary);
    }

    /// What the supervisor holds, and what is left of processes and files.
    pub(super) fn compare_processes(&mut self, before: Holds) {
        let after = Holds::at_rest(self.daemon.pid());
        let summary = &mut self.summary;
        let pair = |a: u64, b: u64| format!("{a} before, {b} after");
        summary.figure(
            "supervisor's descriptors",
            pair(before.descriptors as u64, after.descriptors as u64),
        );
        summary
            .figure("supervisor's mappings", pair(before.mappings as u64, after.mappings as u64));
        summary.figure("supervisor's memory, KiB", pair(before.resident, after.resident));
        summary.figure(
            "supervisor's address space, KiB",
            pair(before.virtual_size, after.virtual_size),
        );
        summary.require(after.descriptors == before.descriptors, || {
            let open = processes::descriptors(self.daemon.pid());
            format!("descriptors of the supervisor: {before:?}, {after:?}, open: {open:?}")
        });
        // The heap may have been cut up a little; the pages of generations are larger.
        let stable =
            after.mappings <= before.mappings + 4 && after.resident <= before.resident + 2048;
        summary.require(stable, || format!("memory of the supervisor: {before:?}, {after:?}"));
        let processes = processes::below(self.daemon.pid());
        summary.figure("processes below it", format!("{processes:?}"));
        let zombies = processes.get("zombie").copied().unwrap_or(0);
        summary.require(zombies == 0, || format!("{zombies} zombies"));
        let others = processes.values().sum::<usize>() - zombies;
        summary.require(others == 5, || format!("one zygote and its spares, not {processes:?}"));
        let (ledgers, kept) = (self.files("run", "ledger."), self.files("run/modules", ""));
        self.summary.figure("ledgers, kept modules", format!("{ledgers}, {kept}"));
        self.summary.require(ledgers == 1, || format!("{ledgers} ledgers are left"));
        // Two generations can be gone back to: the one that serves and the one before, of 3 modules.
        self.summary.require(kept <= 6, || format!("{kept} modules are kept"));
    }

    fn files(&self, folder: &str, begin: &str) -> usize {
        let all = fs::read_dir(self.daemon.site.path(folder)).into_iter().flatten().flatten();
        all.filter(|file| file.file_name().to_string_lossy().starts_with(begin)).count()
    }
}
