//! Storms: a real daemon under load, with its modules changed under it, its zygotes killed and its
//! limits lowered; and how long things take. What the command line looks like is in `main.rs`; the
//! tests of the daemon call the same code with smaller numbers.

pub mod changes;
pub mod client;
pub mod costs;
pub mod daemon;
pub mod hang;
pub mod held;
pub mod kills;
pub mod ledgers;
pub mod load;
pub mod oracle;
pub mod processes;
pub mod programs;
pub mod reload;
pub mod reload_time;
pub mod seed;
pub mod site;
pub mod spares;
pub mod starved;
pub mod summary;
pub mod victim;

/// What goes wrong in a storm itself; what the daemon does wrong stands in the [`summary`].
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
