//! Registrations of what is neither a listener nor a protocol: counters.

use exeunt_api::abi::status;

use super::plan::{Counter, Plan};
use super::registry::{Registration, Registry, refuse};
use crate::counters::{self, LABELS, Wanted};

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
        if labels.len() > LABELS || self.counters.len() == COUNTERS {
            let why =
                format!("a counter has at most {LABELS} labels, a daemon {COUNTERS} counters");
            return refuse(status::TOO_BIG, &what, &why);
        }
        let metric = format!("exeunt_{module}_{name}");
        if let Some(other) = self.counters.iter().find(|other| other.metric == metric) {
            let other = &self.modules[other.module].name;
            let why = format!("module `{other}` has registered the metric {metric} before");
            return refuse(status::DUPLICATE, &what, &why);
        }
        if counters::is_own(&metric) {
            return refuse(status::DUPLICATE, &what, &format!("{metric} is a metric of the host"));
        }
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.counters.push(Counter { module: index, metric, labels });
        Ok(self.counters.len() as i32 - 1)
    }
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
        self.counters.iter().map(wanted).collect()
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
        assert_eq!(registry.counters[1].metric, "exeunt_ftp_stored");
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
