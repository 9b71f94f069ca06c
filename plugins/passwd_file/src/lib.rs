//! An authenticator: users and their hashed passwords in a file. Here: the module, and what it says
//! about a login; the lines of the file are read in `users.rs`.
#![forbid(unsafe_code)]

mod users;

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use exeunt_api::prelude::*;

/// The most bytes of the file.
const LARGEST: usize = 1 << 20;

/// Settings of the module.
#[derive(Settings)]
struct Config {
    /// The file with a line `name:hash`, `name:hash:home` or `name:hash:home:root` for each user. A
    /// relative path counts from the folder of `modules.toml`.
    file: PathBuf,
}

struct PasswdFile;

impl Module for PasswdFile {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        let (path, users) = (config.file.display().to_string(), reg.file(&config.file)?);
        // A mistake is better found now than at the login of the one whom it locks out.
        users::check(&users.read_to_string(LARGEST)?)
            .map_err(|error| Error::new(format!("{path}: {error}")))?;
        if is_open_to_all(&users)? {
            reg.log().warn(format!("{path} can be read by everybody: `chmod o= {path}`"));
        }
        reg.authenticator("file", Where::Session, move |credentials| {
            // Read each time: a password that was changed counts at once.
            let text = users.read_to_string(LARGEST)?;
            Ok(users::verdict(&text, credentials.user(), credentials.secret()))
        })
    }
}

export_module!(PasswdFile);

fn is_open_to_all(file: &OpenFile) -> Result<bool> {
    let file = File::from(file.as_fd().try_clone_to_owned()?);
    Ok(file.metadata()?.permissions().mode() & 0o004 != 0)
}
