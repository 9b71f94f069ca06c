//! The tests of the daemon as a whole, one module a topic: a real daemon on a free port in a scratch
//! folder, real clients, and what the listeners themselves wrote down. What one function or room does
//! is tested where it lives.

mod harness;

mod c_modules;
mod cli;
mod confinement;
mod daemon;
mod deadlines;
mod exits;
mod ftp;
mod helpers;
mod hooks;
mod hostile;
mod limits;
mod listeners;
mod login_users;
mod matrix;
mod processes;
mod protocols;
mod refusals;
mod reload;
mod replay;
mod successors;
mod systemd;
mod wishes;
mod wtmp;
