//! The C header and the Rust interface are the same: a C compiler is shown what Rust knows. Without a
//! C compiler only the comparison of the names is left.

use std::fmt::Write as _;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::Command;

use exeunt_api::abi::{
    Begun, Bytes, C_MAGIC, CHost, CModule, Callback, Class, Fact, Handle, Host, Interest, Kind,
    Level, Phase, Place, ProtocolTable, Station, Str, Transferring, Verdict, Waiting, status,
};

fn header() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include/exeunt.h")
}

/// The fields of the host's table in their order, which `repr(C)` keeps in memory.
fn functions() -> Vec<&'static str> {
    let (_, table) =
        include_str!("../src/abi/host.rs").split_once("pub struct Host {").expect("it is there");
    let (table, _) = table.split_once("\n}").expect("it is there");
    let field = |line: &'static str| Some(line.strip_prefix("    pub ")?.split_once(':')?.0);
    let fields: Vec<_> = table.lines().filter_map(field).collect();
    assert_eq!(size_of::<Host>(), fields.len() * size_of::<usize>(), "a pointer each");
    fields
}

/// `BytesIn` as `BYTES_IN`.
fn shouted(name: &str) -> String {
    let mut shouted = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !shouted.is_empty() {
            shouted.push('_');
        }
        shouted.extend(c.to_uppercase());
    }
    shouted
}

/// Every number that has a name on both sides.
fn numbers() -> Vec<(String, i64)> {
    let mut numbers = Vec::new();
    let mut add = |kind: &str, name: String, n: i64| {
        numbers.push((format!("EXEUNT_{kind}{}", shouted(&name)), n));
    };
    for n in 0..256 {
        let names = [
            ("FACT_", Fact::from_number(n).map(|fact| format!("{fact:?}"))),
            ("PHASE_", Phase::from_number(n).map(|phase| format!("{phase:?}"))),
            ("LEVEL_", Level::from_number(n).map(|level| format!("{level:?}"))),
            (
                "KIND_",
                i32::try_from(n).ok().and_then(Kind::from_number).map(|kind| format!("{kind:?}")),
            ),
        ];
        for (kind, name) in names {
            name.into_iter().for_each(|name| add(kind, name, n.into()));
        }
    }
    let named = [
        ("Ok", status::OK),
        ("Failed", status::FAILED),
        ("Ending", status::ENDING),
        ("BadHandle", status::BAD_HANDLE),
        ("BadPhase", status::BAD_PHASE),
        ("BadArgument", status::BAD_ARGUMENT),
        ("Duplicate", status::DUPLICATE),
        ("ForeignPointer", status::FOREIGN_POINTER),
        ("None", status::NONE),
        ("TooBig", status::TOO_BIG),
        ("Denied", status::DENIED),
        ("Panicked", status::PANICKED),
        ("PlaceSession", Place::Session as i32),
        ("StationSession", Station::SESSION as i32),
        ("StationRunner", Station::RUNNER as i32),
        ("StationRoot", Station::ROOT as i32),
        ("VerdictUnknown", Verdict::UNKNOWN),
        ("VerdictAccepted", Verdict::ACCEPTED),
        ("VerdictRejected", Verdict::REJECTED),
        ("ClassRead", Class::READ as i32),
        ("ClassWrite", Class::WRITE as i32),
        ("ClassDirs", Class::DIRS as i32),
        ("ClassAuth", Class::AUTH as i32),
        ("ClassInfo", Class::INFO as i32),
        ("ClassMisc", Class::MISC as i32),
        ("BegunOwn", Begun::OWN),
        ("BegunHandled", Begun::HANDLED),
        ("TransferringNothing", Transferring::NOTHING as i32),
        ("TransferringMoving", Transferring::MOVING as i32),
        ("Read", Interest::READ as i32),
        ("Write", Interest::WRITE as i32),
        ("Major", exeunt_api::abi::MAJOR as i32),
        ("Minor", exeunt_api::abi::MINOR as i32),
    ];
    named.into_iter().for_each(|(name, n)| add("", name.to_owned(), n.into()));
    numbers
}

/// A C file that compiles only if the header says what Rust says.
fn asserts() -> String {
    let mut text = String::from("#include <exeunt.h>\n");
    let mut equal = |expression: String, n: i64| {
        writeln!(text, "EXEUNT_ASSERT(({expression}) == ({n}), \"{expression}\");")
            .expect("it is there");
    };
    for (name, n) in numbers() {
        equal(name, n);
    }
    let bytes = |size: usize| i64::try_from(size).expect("it is there");
    for (at, name) in functions().iter().enumerate() {
        let offset = offset_of!(CHost, functions) + at * size_of::<usize>();
        equal(format!("offsetof(struct exeunt_host, {name})"), bytes(offset));
    }
    for (name, size) in [
        ("host", size_of::<CHost>()),
        ("module", size_of::<CModule>()),
        ("str", size_of::<Str>()),
        ("bytes", size_of::<Bytes>()),
        ("handle", size_of::<Handle>()),
        ("callback", size_of::<Callback>()),
        ("protocol", size_of::<ProtocolTable>()),
        ("waiting", size_of::<Waiting>()),
    ] {
        equal(format!("sizeof(struct exeunt_{name})"), bytes(size));
    }
    equal("EXEUNT_MAGIC".to_owned(), C_MAGIC as i64);
    text
}

/// Compiles a text, or nothing without a compiler.
fn compiles(compiler: &str, options: &[&str], text: &str) {
    let dir = tempfile::tempdir().expect("it is there");
    let file = dir.path().join("check.c");
    std::fs::write(&file, text).expect("it is there");
    let mut command = Command::new(compiler);
    command.args(options).args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-I"]);
    match command.arg(header().parent().expect("it is there")).arg(&file).output() {
        Err(_) => skipped(compiler),
        Ok(done) => {
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
    }
}

#[allow(clippy::print_stderr, reason = "the way to libtest")]
fn skipped(compiler: &str) {
    eprintln!("skipped: there is no `{compiler}`");
}

#[test]
fn the_header_says_what_the_interface_says_in_c() {
    compiles("cc", &["-std=c11"], &asserts());
}

#[test]
fn the_header_says_what_the_interface_says_in_cpp() {
    compiles("c++", &["-x", "c++", "-std=c++17"], &asserts());
}

#[test]
fn the_header_declares_every_function_and_no_other() {
    let header = std::fs::read_to_string(header()).expect("it is there");
    let (_, table) = header.split_once("struct exeunt_host {").expect("it is there");
    let (table, _) = table.split_once("\n};").expect("it is there");
    let declared: Vec<&str> = table
        .lines()
        .filter_map(|line| line.split_once("(*")?.1.split_once(')').map(|(name, _)| name))
        .collect();
    let known: Vec<&str> = functions().into_iter().filter(|name| *name != "reserved").collect();
    assert_eq!(declared, known);
}

#[test]
fn the_header_names_no_number_that_rust_does_not_know() {
    let header = std::fs::read_to_string(header()).expect("it is there");
    let known = numbers();
    let named = header.lines().filter_map(|line| {
        let name = line.trim().split_once(" = ")?.0;
        name.strip_prefix("EXEUNT_").map(|_| name)
    });
    for name in named {
        assert!(known.iter().any(|(other, _)| other == name), "{name}");
    }
}
