//! Configuration: from the text of `modules.toml` to values that cannot be wrong.
//!
//! The way of a file: `find` locates and reads it, `syntax` turns its text into a tree of `value`
//! nodes, `shape` says which keys may be written, `section` takes them out with the readers of
//! `read` (for words inside a string: `text` and `address`), `host`, `bounds` and `lists` fill the
//! tables, `check` compares them with one another, and `cite` shows every `problem` in the file.
//! `places` reads what a client command needs of a file that is wrong.
//!
//! Not here: whether a user or a group exists, whether a file is a module, and what a module's own
//! settings mean. The rooms that know add their problems to [`Problems`].

mod address;
mod bounds;
mod check;
mod cite;
mod find;
mod host;
mod lists;
mod places;
mod problem;
mod read;
mod section;
mod shape;
mod syntax;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub(crate) use address::Address;
pub(crate) use bounds::{Exit, Limits, Timeouts};
pub(crate) use check::Config;
pub(crate) use find::{Environment, Source, locate, read};
pub(crate) use host::{Format, Host, Level, Log, LogTo};
pub(crate) use lists::Module;
pub(crate) use places::{Places, places};
pub(crate) use problem::{Problem, Problems};
pub(crate) use value::{Key, Kind, Node};

/// Checks a whole file: every value of it, or every problem in it, in the order of the text.
pub(crate) fn parse(source: &Source, env: &Environment<'_>) -> Result<Config, Problems> {
    let tree = syntax::parse(&source.text);
    let mut problems = Problems::default();
    let reader = read::Reader::new(source, env, tree.complete());
    let config = check::check(&tree.root, &reader, &mut problems);
    let problems = tree.report(problems, &source.text);

    if problems.is_empty() { Ok(config) } else { Err(problems) }
}
