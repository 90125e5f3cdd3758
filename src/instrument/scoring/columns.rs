//! The answers to the scored items as columns of marks: one byte an answer, one column an item.

use rayon::prelude::*;

use super::fit::ScoredItem;
use crate::instrument::{
    questionnaire::{Item, ItemKind, MissingKind},
    response::{Given, Response},
};

/// What an answer is worth, with the kinds of missing kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mark {
    /// As the key says.
    Right,
    /// Another value.
    Wrong,
    /// 不知道: scores as wrong and stays visible.
    DontKnow,
    /// 拒答.
    Refused,
    /// 不适用.
    NotApplicable,
    /// 未问.
    NotAsked,
    /// 中止未达.
    NotReached,
    /// Not relevant by routing.
    Irrelevant,
    /// An optional item left out.
    Absent,
}

impl Mark {
    /// Whether there is neither a value nor 不知道.
    #[must_use]
    pub fn is_missing(self) -> bool {
        !matches!(self, Self::Right | Self::Wrong | Self::DontKnow)
    }

    /// Whether the item was put to the person.
    #[must_use]
    pub fn is_of_one_asked(self) -> bool {
        matches!(self, Self::Right | Self::Wrong | Self::DontKnow | Self::Refused)
    }
}

/// Responses in one block; part of no result, chosen so that a block's marks stay in the cache.
const BLOCK: usize = 1024;

/// Marks of many responses: blocks of responses, column by column within a block.
#[derive(Debug, Clone)]
pub struct Marks {
    blocks: Vec<Vec<Mark>>,
    n_items: usize,
}

impl Marks {
    pub(super) fn of(items: &[ScoredItem<'_>], responses: &[Response]) -> Self {
        // A response is read once, from end to end: column after column through all of them would miss the cache at
        // nearly every answer. The indexed collect keeps the order on any number of threads.
        let block = |responses: &[Response]| {
            let mut marks = vec![Mark::Absent; items.len() * responses.len()];
            for (r, response) in responses.iter().enumerate() {
                for (i, item) in items.iter().enumerate() {
                    marks[i * responses.len() + r] = item.mark(response);
                }
            }
            marks
        };
        Self { blocks: responses.par_chunks(BLOCK).map(block).collect(), n_items: items.len() }
    }

    /// The mark of one response in one scored item.
    #[must_use]
    pub fn mark(&self, item: usize, response: usize) -> Mark {
        let block = &self.blocks[response / BLOCK];
        let n_responses = block.len() / self.n_items;
        block[item * n_responses + response % BLOCK]
    }
}

impl ScoredItem<'_> {
    /// What a response is worth in this item.
    #[must_use]
    pub fn mark(&self, response: &Response) -> Mark {
        let Some(answer) = response.answers_by_place().get(self.place).and_then(Option::as_ref) else {
            return Mark::Absent;
        };
        if !answer.active {
            return Mark::Irrelevant;
        }
        match &answer.given {
            Given::Missing(kind) => missing_mark(*kind),
            given if is_right(self.item, given) => Mark::Right,
            _ => Mark::Wrong,
        }
    }
}

fn missing_mark(kind: MissingKind) -> Mark {
    match kind {
        MissingKind::DontKnow => Mark::DontKnow,
        MissingKind::Refused => Mark::Refused,
        MissingKind::NotApplicable => Mark::NotApplicable,
        MissingKind::NotAsked => Mark::NotAsked,
        MissingKind::NotReached => Mark::NotReached,
    }
}

fn is_right(item: &Item, given: &Given) -> bool {
    match given {
        Given::Choice(code) if item.kind != ItemKind::MultipleChoice => item.key.contains(code),
        // Both without duplicates: the same number and every one in the key is the same set.
        Given::Choices(codes) => codes.len() == item.key.len() && codes.iter().all(|code| item.key.contains(code)),
        _ => false,
    }
}
