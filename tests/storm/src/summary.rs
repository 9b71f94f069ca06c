//! What a storm has found: figures, and what must not be.

use std::fmt;

/// Figures and violations.
#[derive(Debug, Default)]
pub struct Summary {
    figures: Vec<(String, String)>,
    /// What must not be.
    pub violations: Vec<String>,
}

/// So many violations are shown.
const SHOWN: usize = 40;

impl Summary {
    /// A figure for people.
    pub fn figure(&mut self, name: &str, value: impl fmt::Display) {
        self.figures.push((name.to_owned(), value.to_string()));
    }

    /// Something that must not be.
    pub fn violation(&mut self, text: impl Into<String>) {
        self.violations.push(text.into());
    }

    /// Something that must be.
    pub fn require(&mut self, is_so: bool, text: impl FnOnce() -> String) {
        if !is_so {
            self.violation(text());
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.figures {
            writeln!(f, "{name:<38} {value}")?;
        }
        for violation in self.violations.iter().take(SHOWN) {
            writeln!(f, "violation: {violation}")?;
        }
        writeln!(f, "{:<38} {}", "violations", self.violations.len())
    }
}

/// The median, the 99th of a hundred, and the largest of some times, in milliseconds.
#[must_use]
pub fn spread(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).or(times.last());
    let [median, p99, max] = [0.5, 0.99, 1.0].map(|part| at(part).copied().unwrap_or(f64::NAN));
    format!("median {median:.2} ms, p99 {p99:.2} ms, max {max:.2} ms")
}
