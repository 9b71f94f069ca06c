//! The lines of the file: who there is, and whether a password is the right one.

use argon2::{Argon2, PasswordVerifier as _};
use exeunt_api::prelude::*;
use sha_crypt::ShaCrypt;

/// A line of the file.
struct User<'a> {
    name: &'a str,
    hash: &'a str,
    home: Option<&'a str>,
    root: Option<&'a str>,
}

impl<'a> User<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let (name, hash) = (fields.next()?, fields.next()?);
        let mut path = || fields.next().filter(|path| !path.is_empty());
        let (home, root) = (path(), path());
        (!name.is_empty() && fields.next().is_none()).then_some(Self { name, hash, home, root })
    }

    fn account(&self) -> Account {
        let mut account = Account::new(self.name);
        account.home = self.home.map(str::to_owned);
        account.root = self.root.map(str::to_owned);
        account
    }
}

/// The lines that are to be users, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// Whether every line is a user with a hash that can be verified, and none is there twice.
pub(crate) fn check(text: &str) -> Result<()> {
    let mut names = Vec::new();
    for (number, line) in lines(text) {
        let Some(user) = User::read(line) else {
            return Err(Error::new(format!("line {number} is not `name:hash:home:root`")));
        };
        if !["$argon2id$", "$6$", "$5$"].iter().any(|kind| user.hash.starts_with(kind)) {
            let hint = "make one with `openssl passwd -6`";
            return Err(Error::new(format!(
                "line {number} has no hash that is known here: {hint}"
            )));
        }
        if names.contains(&user.name) {
            return Err(Error::new(format!("line {number}: {} is there already", user.name)));
        }
        names.push(user.name);
    }
    Ok(())
}

/// What the file says of a login.
pub(crate) fn verdict(text: &str, name: &str, password: &str) -> Verdict {
    let users = || lines(text).filter_map(|(_, line)| User::read(line));
    let Some(user) = users().find(|user| user.name == name) else {
        // It takes as long as for a user that there is.
        if let Some(other) = users().next() {
            let _in_vain = is_password_of(&other, password);
        }
        return Verdict::Unknown;
    };
    if is_password_of(&user, password) { Verdict::Accept(user.account()) } else { Verdict::Reject }
}

fn is_password_of(user: &User<'_>, password: &str) -> bool {
    let password = password.as_bytes();
    let verified = match user.hash.starts_with("$argon2") {
        true => Argon2::default().verify_password(password, user.hash),
        false => ShaCrypt::default().verify_password(password, user.hash),
    };
    verified.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `geheim`, hashed by `openssl passwd -6` and with Argon2id.
    const FILE: &str = "# users\n\nanna:SHA512:/incoming\nbert:ARGON::/bert\n";

    fn file() -> String {
        FILE.replace("SHA512", SHA512).replace("ARGON", ARGON)
    }

    const SHA512: &str = "$6$Zm9vYmFy$3KMnqjZBzMCvzphmImVtxa3td4EU3rOWcQkd.bT/mgUcNhglS5PxmybbLcDQ.0sn1fuCAnEtJWgm5L1sxdpGT1";
    const ARGON: &str = "$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0$6/Pw7Yvr2ngdmklKPjxHjhVt9G9/bN7bvt7t7wObiu8";

    #[test]
    fn the_right_password_gives_the_account_and_another_one_is_rejected() {
        let file = file();
        assert_eq!(check(&file).map_err(|error| error.to_string()), Ok(()));
        let anna = Account::new("anna").home("/incoming");
        assert_eq!(verdict(&file, "anna", "geheim"), Verdict::Accept(anna));
        let bert = Account::new("bert").root("/bert");
        assert_eq!(verdict(&file, "bert", "geheim"), Verdict::Accept(bert));
        for (name, password) in [("anna", "Geheim"), ("bert", ""), ("anna", "")] {
            assert_eq!(verdict(&file, name, password), Verdict::Reject, "{name}");
        }
    }

    #[test]
    fn who_is_not_there_is_left_to_others() {
        for name in ["carl", "# users", "", "ann"] {
            assert_eq!(verdict(&file(), name, "geheim"), Verdict::Unknown, "{name}");
        }
    }

    #[test]
    fn a_line_that_is_wrong_is_named() {
        let line = |text: &str| check(text).expect_err("wrong").to_string();
        assert!(line("\nanna").starts_with("line 2 is not "));
        assert!(line("anna:geheim").starts_with("line 1 has no hash that is known here"));
        assert!(line(":$6$x").starts_with("line 1 is not "));
        assert!(line("a:$6$x:/a:/b:c").starts_with("line 1 is not "));
        assert_eq!(line("a:$6$x\na:$6$y"), "line 2: a is there already");
    }
}
