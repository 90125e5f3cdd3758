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

/// Who asks: a person at a desk, a tablet with its person, or a service token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What tables and the log name: the id of the person, the device or the token.
    pub id: String,
    /// The role they act in.
    pub role: Role,
    /// The person, unless a service token asks.
    pub user: Option<String>,
    /// The tablet, when one asks.
    pub device: Option<String>,
    /// First digits of the region codes they are granted; nothing means everywhere.
    pub scope: Option<String>,
    /// Whether the device was revoked or its person disabled: what it hands in is kept and never counted by itself.
    pub revoked: bool,
}

impl Actor {
    /// A service token with this role, without limits of region.
    pub fn service(id: String, role: Role) -> Self {
        Self { id, role, user: None, device: None, scope: None, revoked: false }
    }

    /// The actor as the audit log names it.
    pub fn author(&self) -> Author {
        Author { id: self.id.clone(), role: self.role.name().to_owned() }
    }
}
