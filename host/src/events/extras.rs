//! Registrations of what is neither a listener nor a protocol: counters, timers.

use exeunt_api::abi::{Callback, status};

use super::plan::{Listener, Plan};
use super::registry::{Registration, Registry, not_twice, refuse};
use crate::counters::{self, LABELS, Wanted};

/// What is neither a listener nor a protocol.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    /// Their numbers are their places.
    pub(crate) counters: Vec<Counter>,
    /// Timers of sessions.
    pub(crate) timers: Vec<Listener>,
}

/// A counter that all sessions share.
#[derive(Debug)]
pub(crate) struct Counter {
    /// The index of its module.
    pub(crate) module: usize,
    /// Its name in OpenMetrics, without `_total`.
    pub(crate) metric: String,
    /// The names of its labels.
    pub(crate) labels: Vec<String>,
}

impl Extras {
    /// The callback with that number among all of the plan, and what it is.
    pub(super) fn callback(&self, number: u32) -> Option<(&'static str, &Listener)> {
        let timer = self.timers.iter().find(|timer| timer.number == number);
        timer.map(|timer| ("timer", timer))
    }

    /// The place of a module's timer.
    pub(crate) fn timer(&self, module: usize, name: &str) -> Option<usize> {
        self.timers.iter().position(|timer| timer.module == module && timer.name == name)
    }
}

/// The most callbacks of one kind in a plan.
const CALLBACKS: usize = 256;
/// The most counters of a plan.
const COUNTERS: usize = 64;
/// The most bytes of a counter's or label's name.
const METRIC_NAME: usize = 32;

impl Registry {
    /// Registers a counter; returns its number.
    pub(crate) fn counter(&mut self, name: &str, labels: &[&str]) -> Registration<i32> {
        let (index, module) = self.module();
        let what = format!("the counter `{name}`");
        if let Some(wrong) = std::iter::once(name).chain(labels.iter().copied()).find(|n| !fits(n))
        {
            let why = format!(
                "`{wrong}` is no name for a metric: 1 to {METRIC_NAME} of a-z, 0-9 and `_`, the first a letter"
            );
            return refuse(status::BAD_ARGUMENT, &what, &why);
        }
        let twice = (1..labels.len()).find(|place| labels[..*place].contains(&labels[*place]));
        if let Some(place) = twice {
            let why = format!("its label `{}` is there twice", labels[place]);
            return refuse(status::BAD_ARGUMENT, &what, &why);
        }
        if labels.len() > LABELS || self.extras.counters.len() == COUNTERS {
            let why =
                format!("a counter has at most {LABELS} labels, a daemon {COUNTERS} counters");
            return refuse(status::TOO_BIG, &what, &why);
        }
        let metric = format!("exeunt_{module}_{name}");
        if let Some(other) = self.extras.counters.iter().find(|other| other.metric == metric) {
            let other = &self.modules[other.module].name;
            let why = format!("module `{other}` has registered the metric {metric} before");
            return refuse(status::DUPLICATE, &what, &why);
        }
        if counters::is_own(&metric) {
            return refuse(status::DUPLICATE, &what, &format!("{metric} is a metric of the host"));
        }
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.extras.counters.push(Counter { module: index, metric, labels });
        Ok(self.extras.counters.len() as i32 - 1)
    }
}

impl Registry {
    /// Registers a timer of sessions.
    pub(crate) fn timer(
        &mut self,
        name: &str,
        callback: Callback,
        own_code: impl Fn(usize) -> bool,
    ) -> Registration {
        let what = format!("the timer `{name}`");
        let timer = self.callback(&what, name, callback, own_code)?;
        not_twice(&what, self.extras.timers.iter(), &timer)?;
        add(&what, &mut self.extras.timers, timer)
    }
}

/// Adds a callback if there is room for one more of its kind.
fn add<T>(what: &str, to: &mut Vec<T>, new: T) -> Registration {
    if to.len() == CALLBACKS {
        let why = format!("there are at most {CALLBACKS} of its kind");
        return refuse(status::TOO_BIG, what, &why);
    }
    to.push(new);
    Ok(())
}

/// Whether it is a name for a metric or a label.
fn fits(name: &str) -> bool {
    let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= METRIC_NAME
        && name.chars().all(rest)
}

impl Plan {
    /// The counters as the table of all generations takes them.
    pub(crate) fn wanted_counters(&self) -> Vec<Wanted<'_>> {
        fn wanted(counter: &Counter) -> Wanted<'_> {
            let Counter { metric, labels, module } = counter;
            Wanted { name: metric.clone(), labels, module: *module }
        }
        self.extras.counters.iter().map(wanted).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::events::ModulePlan;

    fn registry(modules: &[&str]) -> Registry {
        let mut registry = Registry::new();
        for name in modules {
            registry.begin(module(name));
        }
        registry
    }

    fn module(name: &str) -> ModulePlan {
        let (version, sha256, file) = (String::new(), String::new(), String::new());
        let listener = Duration::from_secs(5);
        ModulePlan { name: name.to_owned(), version, sha256, file, listener, cell: None }
    }

    #[test]
    fn counters_are_numbered_and_named_after_their_module() {
        let mut registry = registry(&["ftp"]);
        assert_eq!(registry.counter("sent", &[]), Ok(0));
        assert_eq!(registry.counter("stored", &["user"]), Ok(1));
        assert_eq!(registry.extras.counters[1].metric, "exeunt_ftp_stored");
    }

    #[test]
    fn what_would_be_no_metric_is_refused_by_name() {
        let mut registry = registry(&["a"]);
        for (name, labels) in
            [("Sent", &[][..]), ("1", &[]), ("", &[]), ("x", &["a-b"]), ("x", &["u", "u"])]
        {
            let refused = registry.counter(name, labels).expect_err("refused");
            assert_eq!(refused.0, status::BAD_ARGUMENT, "{name}");
        }
        let many = ["a", "b", "c", "d", "e"];
        assert_eq!(registry.counter("x", &many).expect_err("refused").0, status::TOO_BIG);
    }

    #[test]
    fn two_modules_cannot_have_the_same_metric() {
        let mut registry = registry(&["a"]);
        registry.counter("b_c", &[]).expect("registered");
        registry.begin(module("a_b"));
        let (code, why) = registry.counter("c", &[]).expect_err("refused");
        assert!(code == status::DUPLICATE && why.contains("module `a` has"), "{why}");
        registry.begin(module("sessions"));
        assert!(registry.counter("ended", &[]).is_err());
    }
}
