//! The states of an interview and the steps between them: a plain table, before any row is touched.

use serde::{Deserialize, Serialize};

use super::Author;

macro_rules! states {
    ($($(#[$doc:meta])* $state:ident $name:literal;)*) => {
        /// Where a submission stands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum InterviewState { $($(#[$doc])* $state),* }

        impl InterviewState {
            /// Every state.
            pub const ALL: &[Self] = &[$(Self::$state),*];

            /// The state's name in tables and answers.
            pub fn name(self) -> &'static str {
                match self { $(Self::$state => $name),* }
            }
        }
    };
}

states! {
    /// Kept, not yet judged.
    Received "received";
    /// Judged good, and the one interview of its case.
    Parsed "parsed";
    /// Kept, and waits for a person or for master data.
    Quarantined "quarantined";
    /// Judged good, but its case has another interview.
    Surplus "surplus";
    /// Somebody reviews it.
    UnderReview "under_review";
    /// Sent back to the surveyor; the next revision is reviewed again.
    Returned "returned";
    /// Approved by one person.
    ApprovedL1 "approved_l1";
    /// Approved by a second person: counts.
    ApprovedL2 "approved_l2";
    /// Counts, and changes no more.
    Locked "locked";
    /// Taken out by two persons, for good.
    Void "void";
}

impl InterviewState {
    /// The state with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.name() == name)
    }

    /// Whether an interview in this state counts in a run.
    pub fn counts(self, interim: bool) -> bool {
        match self {
            Self::ApprovedL2 | Self::Locked => true,
            Self::ApprovedL1 | Self::UnderReview | Self::Parsed => interim,
            Self::Received | Self::Quarantined | Self::Surplus | Self::Returned | Self::Void => false,
        }
    }

    /// Whether a person has approved its content, so that a new revision may not replace it by itself.
    pub fn is_approved(self) -> bool {
        matches!(self, Self::ApprovedL1 | Self::ApprovedL2 | Self::Locked)
    }

    /// Where the step leads from here; `None` when it may not be taken.
    pub fn after(self, step: &Step) -> Option<Self> {
        use InterviewState::*;
        match (step, self) {
            (Step::Begin, Parsed) => Some(UnderReview),
            (Step::Approve(Level::One), Parsed | UnderReview) => Some(ApprovedL1),
            (Step::Approve(Level::Two), ApprovedL1) => Some(ApprovedL2),
            (Step::Return { .. }, Parsed | UnderReview | ApprovedL1 | ApprovedL2) => Some(Returned),
            (Step::RequestVoid { .. }, from) if !matches!(from, Locked | Void) => Some(from),
            (Step::ConfirmVoid, from) if !matches!(from, Locked | Void) => Some(Void),
            (Step::Lock, ApprovedL2) => Some(Locked),
            (Step::Reopen { .. }, Locked) => Some(UnderReview),
            (Step::Promote { .. }, Surplus) => Some(Parsed),
            _ => None,
        }
    }

    /// Where a good new body of an interview leads that stands here; it counts for its case.
    pub fn after_new_body(self) -> Self {
        match self {
            Self::Returned | Self::UnderReview => Self::UnderReview,
            approved if approved.is_approved() => Self::UnderReview,
            _ => Self::Parsed,
        }
    }
}

/// Which of the two approvals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The region's.
    One,
    /// The head office's, by another person.
    Two,
}

/// A comment on one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemComment {
    /// The item.
    pub item: String,
    /// What to look at.
    pub comment: String,
}

/// A step of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Take it in hand.
    Begin,
    /// Approve it.
    Approve(Level),
    /// Send it back to the surveyor.
    Return {
        /// Why, as a code.
        reason_code: String,
        /// Why, in words.
        comment: String,
        /// What to look at.
        items: Vec<ItemComment>,
    },
    /// Ask for it to be taken out.
    RequestVoid {
        /// Why.
        reason: String,
    },
    /// Take it out; another person asked for it.
    ConfirmVoid,
    /// Let it change no more.
    Lock,
    /// Let it change again.
    Reopen {
        /// Why.
        reason: String,
    },
    /// Let it count for its case; the one that counted becomes surplus.
    Promote {
        /// Why.
        reason: String,
    },
}

impl Step {
    /// The step's name in the audit log.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Begin => "response.review",
            Self::Approve(Level::One) => "response.approve_l1",
            Self::Approve(Level::Two) => "response.approve_l2",
            Self::Return { .. } => "response.return",
            Self::RequestVoid { .. } => "response.request_void",
            Self::ConfirmVoid => "response.void",
            Self::Lock => "response.lock",
            Self::Reopen { .. } => "response.reopen",
            Self::Promote { .. } => "response.promote",
        }
    }

    /// Why, in words.
    pub fn comment(&self) -> Option<&str> {
        match self {
            Self::Return { comment, .. } => Some(comment),
            Self::RequestVoid { reason } | Self::Reopen { reason } | Self::Promote { reason } => Some(reason),
            Self::Begin | Self::Approve(_) | Self::ConfirmVoid | Self::Lock => None,
        }
    }
}

/// What the reviewer had before them: the step is for this and nothing newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The revision.
    pub rev: i32,
    /// SHA-256 of its bytes, from those who say.
    pub sha256: Option<String>,
}

/// Who reviews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewer {
    /// As the log names them.
    pub author: Author,
    /// Every id under which bytes of theirs may have arrived: the person, the device, the token.
    pub ids: Vec<String>,
    /// The region they may see: a prefix of district codes, empty for everywhere.
    pub scope: String,
}

impl Reviewer {
    /// Whether a district lies in the reviewer's region; an unknown one does only for those without bounds.
    pub fn may_see(&self, district: Option<&str>) -> bool {
        self.scope.is_empty() || district.is_some_and(|code| code.starts_with(&self.scope))
    }
}

/// Why a step was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReviewRefusal {
    /// There is no such interview, body or message.
    #[error("find the interview")]
    NotFound,
    /// The step does not lead on from here.
    #[error("take the step from the state {0}")]
    WrongState(String),
    /// Something newer is there than the reviewer saw.
    #[error("take the step on a revision that is not in force")]
    StaleRevision,
    /// Two bodies under one revision, and nobody has chosen.
    #[error("take the step before the conflict is resolved")]
    OpenConflict,
    /// Nobody reviews their own interviews.
    #[error("review one's own interview")]
    OwnInterview,
    /// The second of two persons is the first again.
    #[error("act as the second person")]
    SamePerson,
    /// The case lies elsewhere.
    #[error("act outside one's region")]
    OutOfScope,
}

impl ReviewRefusal {
    /// Whether the attempt was not the person's to make, and so belongs in the log.
    pub fn is_overreach(&self) -> bool {
        matches!(self, Self::OwnInterview | Self::SamePerson | Self::OutOfScope)
    }
}
