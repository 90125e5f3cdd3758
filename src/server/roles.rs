//! Who may be asking: the five roles and the holder of a token.

use serde::{Deserialize, Serialize};

use crate::storage::Author;

/// What a token's holder is to the survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 调查员: fetches forms and submits.
    Surveyor,
    /// 督导员: follows the fieldwork.
    Supervisor,
    /// 统计分析员: sets surveys up and computes.
    Analyst,
    /// 审计员: recomputes, changes nothing.
    Auditor,
    /// 管理员: keeps the system running, sees no person's data.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Surveyor, Self::Supervisor, Self::Analyst, Self::Auditor, Self::Admin];

    /// The role's name in tables and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Surveyor => "surveyor",
            Self::Supervisor => "supervisor",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// The role with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The holder of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The token's id, which is what tables and logs name.
    pub token_id: String,
    /// The holder's role.
    pub role: Role,
}

impl Actor {
    /// Whom the audit log names.
    pub fn author(&self) -> Author {
        Author { id: self.token_id.clone(), role: self.role.name().to_owned() }
    }
}
