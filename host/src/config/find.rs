//! Which file is the configuration, and its text.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::problem::Problem;

/// The name of the file in the current folder.
const LOCAL: &str = "modules.toml";
/// The file of the system.
const SYSTEM: &str = "/etc/exeunt/modules.toml";
/// The variable that names the file.
const VARIABLE: &str = "EXEUNT_CONFIG";
/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// A configuration as it was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    /// The file, as it is to be named in messages.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
}

/// Who asks, and where: what defaults and relative paths depend on.
pub(crate) struct Environment<'a> {
    /// Whether this is root.
    pub(crate) root: bool,
    /// The effective user id.
    pub(crate) uid: u32,
    /// The current folder.
    pub(crate) folder: PathBuf,
    /// Looks up an environment variable.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<OsString>,
}

impl Environment<'static> {
    /// The environment of this process.
    pub(crate) fn current() -> Result<Self, Problem> {
        let uid = nix::unistd::geteuid();
        let folder = std::env::current_dir().map_err(|error| {
            Problem::new(format!("cannot tell the current folder: {error}"))
                .hint("change to a folder that exists")
        })?;
        let variable = &|name: &str| std::env::var_os(name);
        Ok(Self { root: uid.is_root(), uid: uid.as_raw(), folder, variable })
    }
}

impl Environment<'_> {
    /// Where the daemon keeps what lives as long as it does.
    pub(super) fn runtime_dir(&self) -> PathBuf {
        if self.root {
            return "/run/exeunt".into();
        }
        let own = || PathBuf::from(format!("/tmp/exeunt-{}", self.uid));
        self.absolute("XDG_RUNTIME_DIR").map_or_else(own, |folder| folder.join("exeunt"))
    }

    /// Where the daemon keeps what stays; nothing if there is no such place.
    pub(super) fn state_dir(&self) -> Option<PathBuf> {
        if self.root {
            return Some("/var/lib/exeunt".into());
        }
        let home = || self.absolute("HOME").map(|home| home.join(".local/state"));
        self.absolute("XDG_STATE_HOME").or_else(home).map(|folder| folder.join("exeunt"))
    }

    /// A folder from a variable; one that is not absolute does not count.
    fn absolute(&self, name: &str) -> Option<PathBuf> {
        (self.variable)(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }
}

/// Decides which file is the configuration: the explicit one, `EXEUNT_CONFIG`, `modules.toml` in
/// the current folder, `/etc/exeunt/modules.toml`.
///
/// For root the file in the current folder must be root's: whoever can write it would otherwise
/// decide what root runs.
pub(crate) fn locate(explicit: Option<&Path>, env: &Environment<'_>) -> Result<PathBuf, Problem> {
    locate_or(explicit, env, Path::new(SYSTEM))
}

fn locate_or(
    explicit: Option<&Path>,
    env: &Environment<'_>,
    system: &Path,
) -> Result<PathBuf, Problem> {
    let named = (env.variable)(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    if let Some(path) = explicit.map(Path::to_owned).or(named) {
        return Ok(path);
    }
    match env.folder.join(LOCAL).metadata() {
        Ok(file) if env.root && (file.uid() != 0 || file.mode() & 0o002 != 0) => {
            let hint = format!("if it is the right one, name it: -c {LOCAL}");
            Err(Problem::new(format!("will not use {LOCAL} of the current folder as root"))
                .detail("others than root can change it")
                .hint(hint))
        }
        Ok(_) => Ok(LOCAL.into()),
        Err(_) if system.exists() => Ok(system.to_owned()),
        Err(_) => Err(Problem::new("found no configuration")
            .detail(format!("neither {LOCAL} here nor {} exists", system.display()))
            .hint(format!("name the file: -c FILE, or {VARIABLE}=FILE"))),
    }
}

/// Reads the file at `path`, relative to the folder of `env`.
pub(crate) fn read(path: &Path, env: &Environment<'_>) -> Result<Source, Problem> {
    let refuse = |why: &str| Problem::new(format!("cannot read {}: {why}", path.display()));
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => refuse("there is no such file")
            .hint("-c FILE names another one; the repository's modules.toml is a sample"),
        ErrorKind::PermissionDenied => refuse("this user may not"),
        _ => refuse(&error.to_string()),
    };
    let full = env.folder.join(path);
    let kind = full.metadata().map_err(failed)?;
    if kind.is_dir() {
        return Err(refuse("it is a folder").hint(format!("name the file in it: {LOCAL}")));
    }
    if !kind.is_file() {
        return Err(refuse("it is no regular file").detail("a reload reads it again"));
    }
    let mut bytes = Vec::new();
    let file = File::open(&full).map_err(failed)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(refuse("it is larger than 1 MiB").hint("is it the right file?"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..valid];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        refuse("it is not UTF-8")
            .detail(format!("byte {valid}, in line {line}, is {:#04x}", error.as_bytes()[valid]))
            .hint("save it as UTF-8")
    })?;
    Ok(Source { path: path.to_owned(), text })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, chown};
    use std::path::{Path, PathBuf};

    use super::{Environment, LOCAL, locate_or, read};

    fn unset(_: &str) -> Option<OsString> {
        None
    }

    fn environment(folder: &Path, root: bool) -> Environment<'static> {
        Environment { root, uid: 1000, folder: folder.to_owned(), variable: &unset }
    }

    /// The refusal to read a file with these bytes.
    fn unread(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(LOCAL), bytes).expect("a file");
        let refusal = read(Path::new(LOCAL), &environment(folder.path(), false));
        refusal.expect_err("a refusal").to_string()
    }

    #[test]
    fn the_explicit_file_comes_first_then_the_variable() {
        let variable = |name: &str| (name == "EXEUNT_CONFIG").then(|| "v.toml".into());
        let folder = "/nowhere".into();
        let env = Environment { root: false, uid: 1, folder, variable: &variable };
        let system = Path::new("/nowhere/system.toml");
        assert_eq!(locate_or(Some(Path::new("x")), &env, system), Ok("x".into()));
        assert_eq!(locate_or(None, &env, system), Ok("v.toml".into()));
    }

    #[test]
    fn the_current_folder_comes_before_the_system() {
        let folder = tempfile::tempdir().expect("a folder");
        let (env, system) = (environment(folder.path(), false), folder.path().join("system"));
        let none = locate_or(None, &env, &system).expect_err("nothing there");
        assert_eq!(none.message, "found no configuration");
        fs::write(&system, "").expect("a file");
        assert_eq!(locate_or(None, &env, &system), Ok(system.clone()));
        fs::write(folder.path().join(LOCAL), "").expect("a file");
        assert_eq!(locate_or(None, &env, &system), Ok(PathBuf::from(LOCAL)));
    }

    #[test]
    fn root_does_not_use_a_file_of_the_current_folder_that_others_can_change() {
        let folder = tempfile::tempdir().expect("a folder");
        let (env, file) = (environment(folder.path(), true), folder.path().join(LOCAL));
        fs::write(&file, "").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o646)).expect("a mode");
        let refusal = locate_or(None, &env, Path::new("/nowhere")).expect_err("a refusal");
        assert!(refusal.message.starts_with("will not use modules.toml"), "{refusal}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a mode");
        // Only root can give a file away; for others the file is theirs, not root's, already.
        let _ = chown(&file, Some(65_534), None);
        assert_eq!(locate_or(None, &env, Path::new("/nowhere")), Err(refusal));
    }

    #[test]
    fn a_file_is_read_relative_to_the_current_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(LOCAL), "é = 1\n").expect("a file");
        let source = read(Path::new(LOCAL), &environment(folder.path(), false)).expect("a text");
        assert_eq!((source.path.as_path(), source.text.as_str()), (Path::new(LOCAL), "é = 1\n"));
    }

    #[test]
    fn a_missing_file_a_folder_and_a_device_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let env = environment(folder.path(), false);
        let refusal = |path: &str| read(Path::new(path), &env).expect_err("a refusal").message;
        assert_eq!(refusal("none.toml"), "cannot read none.toml: there is no such file");
        assert_eq!(refusal("."), "cannot read .: it is a folder");
        assert_eq!(refusal("/dev/null"), "cannot read /dev/null: it is no regular file");
    }

    #[test]
    fn text_that_is_not_utf8_is_refused_with_its_line() {
        let refusal = unread(b"a = 1\nb = \"\xff\"\n");
        assert!(refusal.starts_with("cannot read modules.toml: it is not UTF-8"), "{refusal}");
        assert!(refusal.contains("byte 11, in line 2, is 0xff"), "{refusal}");
    }

    #[test]
    fn a_file_above_one_mebibyte_is_refused() {
        assert!(unread(&vec![b'#'; (1 << 20) + 1]).contains("it is larger than 1 MiB"));
    }
}
