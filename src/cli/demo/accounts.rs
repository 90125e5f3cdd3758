//! Accounts of the demo's office: one a role, and a second one where two persons are needed.

use anyhow::{Context, Result};

use super::crew::CITY;
use crate::{
    server::{
        Clock, Passwords, Role,
        accounts::{self, NewPerson},
    },
    storage::{Author, Database},
};

/// Signs that nobody mistakes for each other.
const SIGNS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Login, name, role and region of each.
pub(super) const ACCOUNTS: [(&str, &str, Role, &str); 6] = [
    ("demo-supervisor", "示例督导员甲", Role::Supervisor, CITY),
    ("demo-supervisor-2", "示例督导员乙", Role::Supervisor, ""),
    ("demo-analyst", "示例统计分析员", Role::Analyst, ""),
    ("demo-auditor", "示例审计员", Role::Auditor, ""),
    ("demo-admin", "示例管理员甲", Role::Admin, ""),
    ("demo-admin-2", "示例管理员乙", Role::Admin, ""),
];

/// A password of this demo alone: sixteen signs of the system's random numbers in groups that a person can type.
pub(super) fn password() -> Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
    let groups =
        bytes.chunks(4).map(|group| group.iter().map(|byte| char::from(SIGNS[usize::from(byte & 31)])).collect());
    Ok(groups.collect::<Vec<String>>().join("-"))
}

/// Makes the office's accounts, all with one password.
pub(super) fn make(database: &Database, password: &str) -> Result<()> {
    let (clock, by) = (Clock::system(), Author::command_line());
    for (login, name, role, region) in ACCOUNTS {
        let (login, display_name, password) = (login.to_owned(), name.to_owned(), password.to_owned());
        let new = NewPerson { login, display_name, work_id: None, password };
        accounts::add_person(database, &Passwords::default(), new, &[(role, region)], &by, &clock)
            .with_context(|| format!("no account can be made for {name}"))?;
    }
    Ok(())
}

/// One line an account: role, login, password.
pub(super) fn lines(password: &str) -> Vec<String> {
    let office = ACCOUNTS.iter().map(|(login, _, role, _)| format!("{} {login} {password}", role.name()));
    office.chain([format!("{} demo-surveyor {password}", Role::Surveyor.name())]).collect()
}
