//! `scilit admin` and `scilit user`: accounts from the command line, for the first administrator and for emergencies.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};

use super::{serve::SettingsArguments, token::open};
use crate::{
    server::{Clock, Passwords, Role, accounts, is_login_text},
    storage::{Author, Database, Person},
};

/// Administrators: create the first ones.
#[derive(Debug, Args)]
pub struct AdminArguments {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Create an administrator; the password comes from standard input
    Create {
        /// 3 to 32 lower-case letters, digits, `.`, `_`, `-`
        login: String,
        /// How they are called [default: the login]
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: SettingsArguments,
    },
}

/// Accounts: create, list, disable, enable, set a password, unlock.
#[derive(Debug, Args)]
pub struct UserArguments {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Create an account without a role, which two administrators give; the password comes from standard input
    Create {
        /// 3 to 32 lower-case letters, digits, `.`, `_`, `-`
        login: String,
        /// How they are called [default: the login]
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// List accounts
    List {
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// Keep a person out; their sessions end
    Disable {
        /// The account
        login: String,
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// Let a person in again
    Enable {
        /// The account
        login: String,
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// Set a new password, read from standard input; sessions end
    Password {
        /// The account
        login: String,
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// Forget wrong passwords, so that the person need not wait
    Unlock {
        /// The account
        login: String,
        #[command(flatten)]
        settings: SettingsArguments,
    },
}

/// Whoever stands at the machine; the log names it so.
fn command_line() -> Author {
    Author { id: "command-line".to_owned(), role: "system".to_owned() }
}

/// Runs `scilit admin`.
///
/// # Errors
/// When the database cannot be opened, the login is taken or the password will not do.
pub fn run_admin(arguments: AdminArguments) -> anyhow::Result<()> {
    let AdminCommand::Create { login, name, settings } = arguments.command;
    create(login, name, &[(Role::Admin, "")], settings)
}

/// Runs `scilit user`.
///
/// # Errors
/// When the database cannot be opened, or there is no such account.
pub fn run(arguments: UserArguments) -> anyhow::Result<()> {
    match arguments.command {
        UserCommand::Create { login, name, settings } => create(login, name, &[], settings),
        UserCommand::List { settings } => list(settings),
        UserCommand::Disable { login, settings } => set_active(&login, false, settings),
        UserCommand::Enable { login, settings } => set_active(&login, true, settings),
        UserCommand::Password { login, settings } => set_password(&login, settings),
        UserCommand::Unlock { login, settings } => unlock(&login, settings),
    }
}

fn create(
    login: String,
    name: Option<String>,
    grants: &[(Role, &str)],
    settings: SettingsArguments,
) -> anyhow::Result<()> {
    ensure!(is_login_text(&login), "use {login:?}: a login has 3 to 32 lower-case letters, digits, '.', '_', '-'");
    let password = password()?;
    let display_name = name.unwrap_or_else(|| login.clone());
    let new = accounts::NewPerson { login, display_name, work_id: None, password };
    let (database, by) = (open(settings)?, command_line());
    let person = accounts::add_person(&database, &Passwords::default(), new, grants, &by, &Clock::system())?;
    println!("created {} {}", person.login, person.id);
    Ok(())
}

/// The first line of standard input. At a terminal it shows: no crate of ours hides it, so a pipe is the better way.
fn password() -> anyhow::Result<String> {
    let input = std::io::stdin();
    if input.is_terminal() {
        eprintln!("password, at least 12 signs (it will show; a pipe or a file hides it):");
    }
    let mut line = String::new();
    input.lock().read_line(&mut line).context("read the password from standard input")?;
    let password = line.trim_end_matches(['\n', '\r']).to_owned();
    ensure!(!password.is_empty(), "read the password: standard input has none");
    Ok(password)
}

fn list(settings: SettingsArguments) -> anyhow::Result<()> {
    let database = open(settings)?;
    let (mut after, now_ms) = (String::new(), Clock::system().now_ms());
    println!("id\tlogin\tname\tstatus\troles");
    loop {
        let page = database.persons(&after, 200)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id.clone();
        for person in page {
            let roles = accounts::roles_of(&database, &person.id, now_ms)?;
            let roles: Vec<_> = roles.iter().map(|(role, scope)| format!("{}@{scope}", role.name())).collect();
            println!(
                "{}\t{}\t{}\t{}\t{}",
                person.id,
                person.login,
                person.display_name,
                person.status,
                roles.join(" ")
            );
        }
    }
}

fn find(database: &Database, login: &str) -> anyhow::Result<Person> {
    database.person_with_login(login)?.with_context(|| format!("find {login}: there is no such account"))
}

fn set_active(login: &str, active: bool, settings: SettingsArguments) -> anyhow::Result<()> {
    let database = open(settings)?;
    let person = find(&database, login)?;
    let changed = database.set_person_active(&person.id, active, &command_line(), Clock::system().now_ms())?;
    let state = if active { "enabled" } else { "disabled" };
    println!("{login} {}{state}", if changed { "" } else { "was already " });
    Ok(())
}

fn set_password(login: &str, settings: SettingsArguments) -> anyhow::Result<()> {
    let database = open(settings)?;
    let (person, password) = (find(&database, login)?, password()?);
    let (by, clock) = (command_line(), Clock::system());
    accounts::set_password(&database, &Passwords::default(), (&person.id, &password), &by, &clock)?;
    println!("{login} has a new password");
    Ok(())
}

fn unlock(login: &str, settings: SettingsArguments) -> anyhow::Result<()> {
    let database = open(settings)?;
    find(&database, login)?;
    accounts::unlock(&database, login, &command_line(), &Clock::system())?;
    println!("{login} may sign in again");
    Ok(())
}
