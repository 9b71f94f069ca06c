//! `exeunt status --metrics`: the daemon's numbers and its modules' as OpenMetrics text, for instance
//! for the text file collector of a Prometheus node exporter.

use std::fmt::Write as _;

use super::Streams;
use super::daemon::{Daemon, Status};
use super::refusal::{Failure, Refusal};
use crate::counters::{self, Row};

pub(super) fn run(daemon: &Daemon, streams: &mut Streams<'_>) -> Result<(), Failure> {
    let (status, _) = daemon.status()?;
    let rows = counters::read(&daemon.runtime_dir).map_err(|error| {
        let file = daemon.runtime_dir.join(counters::FILE);
        Refusal::failed(format!("could not read the counters in {}", file.display()), &error)
    })?;
    streams.say(&render(&status, &rows))
}

fn render(status: &Status, rows: &[Row]) -> String {
    let mut text =
        String::from("# TYPE exeunt_sessions gauge\n# HELP exeunt_sessions Open sessions.\n");
    for generation in &status.generations {
        let (number, sessions) = (generation.generation.to_string(), generation.sessions);
        line(&mut text, "exeunt_sessions", &["generation".to_owned()], &[number], sessions);
    }
    for row in rows {
        let _infallible = writeln!(text, "# TYPE {} counter", row.name);
        let total = format!("{}_total", row.name);
        for (values, number) in &row.series {
            line(&mut text, &total, &row.labels, values, *number);
        }
    }
    text.push_str("# EOF\n");
    text
}

/// One sample.
fn line(text: &mut String, name: &str, labels: &[String], values: &[String], number: u64) {
    text.push_str(name);
    let pairs: Vec<String> = labels
        .iter()
        .zip(values)
        .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
        .collect();
    if !pairs.is_empty() {
        let _infallible = write!(text, "{{{}}}", pairs.join(","));
    }
    let _infallible = writeln!(text, " {number}");
}

/// A label's value, which is never without its quotes (OpenMetrics 1.0, "Escaping").
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_openmetrics_text_with_its_end() {
        let status = serde_json::json!({
            "pid": 1, "started": "", "config": "",
            "generations": [{"generation": 2, "state": "active", "sessions": 3}],
        });
        let status: Status = serde_json::from_value(status).expect("a status");
        let row = |name: &str, labels: &[&str], series: &[(&[&str], u64)]| Row {
            name: name.to_owned(),
            labels: labels.iter().map(|l| (*l).to_owned()).collect(),
            series: series
                .iter()
                .map(|(values, n)| (values.iter().map(|v| (*v).to_owned()).collect(), *n))
                .collect(),
        };
        let rows = [
            row("exeunt_a_b", &[], &[(&[], 7)]),
            row("exeunt_a_c", &["x", "y"], &[(&["a\"\\", "b"], 1), (&["other", "other"], 2)]),
        ];
        let expected = r#"# TYPE exeunt_sessions gauge
# HELP exeunt_sessions Open sessions.
exeunt_sessions{generation="2"} 3
# TYPE exeunt_a_b counter
exeunt_a_b_total 7
# TYPE exeunt_a_c counter
exeunt_a_c_total{x="a\"\\",y="b"} 1
exeunt_a_c_total{x="other",y="other"} 2
# EOF
"#;
        assert_eq!(render(&status, &rows), expected);
    }
}
