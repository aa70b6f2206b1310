//! Operators' accounts on the command line. Passwords are hashed here, and what is told to a shop, or written by us, is the hash:
//! it is held to the same rules as a sign-up.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use crate::app::operator::Command;
use crate::domain::people::Role;
use crate::domain::shared::locale::Locale;
use crate::faces::account::accounts::{address_of, check_new_password, name_of};
use crate::faces::account::passwords;
use crate::kit::http::problem::{Kind, Problem};
use crate::wire::commands::{answer, failed, one_shot, run};
use crate::wire::folder;

/// Of a password that is made up, in hexadecimal digits.
const PASSWORD_BYTES: usize = 10;

/// What becomes an account is what could have signed up.
pub fn checked(command: Command) -> Result<Command, Problem> {
    match command {
        Command::AddAccount { name, email, password_hash, role, locale } => {
            let name = name_of("add_account.name", &name)?.to_owned();
            let email = address_of("add_account.email", &email)?.shown().to_owned();
            is_hash("add_account.password_hash", &password_hash)?;
            Ok(Command::AddAccount { name, email, password_hash, role, locale })
        }
        Command::ResetOperator { email, password_hash } => {
            is_hash("reset_operator.password_hash", &password_hash)?;
            Ok(Command::ResetOperator { email, password_hash })
        }
        other => Ok(other),
    }
}

fn is_hash(field: &'static str, text: &str) -> Result<(), Problem> {
    match passwords::is_hash(text) {
        true => Ok(()),
        false => Err(Problem::field(field, Kind::INVALID, "must be a hash as the shop makes them")),
    }
}

/// A new account whose password comes from standard input, so that no shell remembers it.
pub fn add(state: Option<PathBuf>, name: String, email: String, role: Role) -> ExitCode {
    if std::io::stdin().is_terminal() {
        eprintln!("miaosha: type the password, then Enter and Ctrl-D");
    }
    let mut password = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut password) {
        return failed(&error);
    }
    let password = password.trim_end_matches(['\r', '\n']);
    if let Err(problem) = check_new_password("password", password, &[&name, &email]) {
        return failed(&format!("the password {}", problem.detail));
    }
    let password_hash = passwords::hash_now(password);
    let locale = Locale::default();
    run(state, Command::AddAccount { name, email, password_hash, role, locale }, true)
}

/// A password that nobody chose, said once: only its hash is kept.
pub fn reset(state: Option<PathBuf>, email: String) -> ExitCode {
    let password = match folder::random_hex(PASSWORD_BYTES) {
        Ok(password) => password,
        Err(error) => return failed(&error),
    };
    let password_hash = passwords::hash_now(&password);
    match one_shot(answer(state, Command::ResetOperator { email, password_hash })) {
        Ok(mut answer) => {
            answer["password"] = json!(password);
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}
