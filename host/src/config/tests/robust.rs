//! Any text at all: no panic, nothing broken accepted, every place within the text, nothing that steers a terminal.

use std::ops::Range;

use proptest::prelude::*;

use super::{SAMPLE, parse_text};
use crate::config::{Config, Kind, Node, Source};

/// What texts are put together from, so that most of them come close to a configuration.
const PARTS: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ",",
    ".",
    "\n",
    "\r\n",
    "\"",
    "'",
    "\"\"\"",
    "#",
    "é",
    "\u{1b}",
    "\u{202e}",
    "\t",
    " ",
    "\0",
    "host",
    "listen",
    "module",
    "exit",
    "name",
    "config",
    "spares",
    "address",
    "[host]\n",
    "[[listen]]\n",
    "[[module]]\n",
    "name = \"a\"\n",
    "= 'x'\n",
    "= 1979-05-27\n",
    "99999999999999999999",
    "1e999",
    "nan",
    "0x",
    "true",
    "\"127.0.0.1:1\"",
    "a.b.c = 1\n",
    "= \"90s\"\n",
    "= [1, 2]\n",
    "= {a = 1}\n",
    "address = \"127.0.0.1:1\"\n",
    "protocol = \"ftp\"\n",
];

/// Every place that a configuration cites.
fn places(config: &Config) -> Vec<Range<usize>> {
    fn of(node: &Node, found: &mut Vec<Range<usize>>) {
        found.push(node.span.clone());
        match &node.kind {
            Kind::List(nodes) => nodes.iter().for_each(|node| of(node, found)),
            Kind::Table(entries) => {
                for (key, node) in entries {
                    found.push(key.span.clone());
                    of(node, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for listen in &config.listens {
        let spans = [&listen.name_span, &listen.address_span, &listen.protocol_span];
        found.extend(spans.map(Clone::clone));
        listen.config.iter().for_each(|node| of(node, &mut found));
    }
    for module in &config.modules {
        found.push(module.name_span.clone());
        of(&module.config, &mut found);
    }
    found
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let cited = match parse_text(text) {
        Ok(config) => {
            prop_assert!(toml::de::DeTable::parse(text).is_ok(), "{:?} is not TOML", text);
            places(&config)
        }
        Err(problems) => {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|problem| !problem.message.is_empty()));
            let source = Source { path: "m\u{7}.toml".into(), text: text.into() };
            let shown = problems.render(&source, false);
            prop_assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{:?}", shown);
            prop_assert!(!shown.contains('\u{202e}'), "{:?}", shown);
            let own = problems.iter().filter_map(|problem| problem.span.clone());
            let other = problems.iter().filter_map(|p| p.other.as_ref().map(|o| o.0.clone()));
            own.chain(other).collect()
        }
    };
    for span in cited {
        prop_assert!(text.get(span.clone()).is_some(), "{:?} of {:?}", span, text);
    }
    Ok(())
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_is_read_without_harm(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn any_mixture_of_toml_is_read_without_harm(
        parts in prop::collection::vec(prop::sample::select(PARTS), 0..40),
    ) {
        check(&parts.concat())?;
    }

    #[test]
    fn any_damage_to_the_sample_is_shown_without_harm(
        from in any::<prop::sample::Index>(),
        length in 0_usize..40,
        part in prop::sample::select(PARTS),
    ) {
        let letters: Vec<char> = SAMPLE.chars().collect();
        let from = from.index(letters.len());
        let rest = &letters[(from + length).min(letters.len())..];
        let text: String = letters[..from].iter().copied().chain(part.chars()).collect();
        check(&(text + &rest.iter().collect::<String>()))?;
    }
}
