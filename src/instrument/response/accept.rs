//! Holds a submission against its questionnaire.

use std::collections::BTreeSet;

use super::{
    Answer, Given, Response,
    faults::{ItemFault, ItemFaultCode, Message, Notice},
    household,
    submission::{Submission, SubmittedValue},
    value,
};
use crate::instrument::questionnaire::{Item, MissingKind, Questionnaire, Severity, View};

impl Response {
    /// Checks a submission against its questionnaire.
    ///
    /// Answers to items that the other answers make irrelevant are kept as inactive. Soft checks become notices.
    ///
    /// # Errors
    /// Every fault at once, keyed by item. An item whose rules look at a faulty answer is not judged by them.
    pub fn accept(questionnaire: &Questionnaire, submission: &Submission) -> Result<Self, Vec<ItemFault>> {
        if submission.instrument != questionnaire.hash() {
            let message = Message::new("问卷版本与本份数据不符", "made with another version of the questionnaire");
            return Err(vec![ItemFault::new("/instrument", None, ItemFaultCode::WrongQuestionnaire, message)]);
        }
        let (acceptance, notices) = Acceptance::of(questionnaire, submission);
        if !acceptance.faults.is_empty() {
            return Err(acceptance.faults);
        }
        Ok(Self {
            id: submission.id,
            rev: submission.rev,
            case: submission.case.clone(),
            questionnaire: submission.instrument.clone(),
            selection: submission.selection.clone(),
            roster: submission.roster.clone(),
            timing: submission.timing,
            notices,
            answers: acceptance.answers,
        })
    }
}

/// A submission while it is held against its questionnaire.
pub(super) struct Acceptance<'a> {
    questionnaire: &'a Questionnaire,
    pub(super) answers: Vec<Option<Answer>>,
    pub(super) relevant: Vec<bool>,
    /// Where each answer stood in the submission.
    sent_at: Vec<Option<usize>>,
    /// Items with a faulty answer, and items whose relevance depends on one.
    doubtful: BTreeSet<&'a str>,
    pub(super) faults: Vec<ItemFault>,
}

impl<'a> Acceptance<'a> {
    /// Everything there is to say about a submission of this questionnaire, and the soft checks that spoke up.
    pub(super) fn of(questionnaire: &'a Questionnaire, submission: &Submission) -> (Self, Vec<Notice>) {
        let mut acceptance = Self::new(questionnaire);
        acceptance.consent(submission);
        acceptance.faults.extend(household::faults(submission));
        acceptance.order_shown(submission);
        acceptance.answers(submission);
        acceptance.route();
        acceptance.completeness();
        let notices = acceptance.checks();
        (acceptance, notices)
    }

    fn new(questionnaire: &'a Questionnaire) -> Self {
        let n = questionnaire.items().len();
        Self {
            questionnaire,
            answers: vec![None; n],
            relevant: vec![false; n],
            sent_at: vec![None; n],
            doubtful: BTreeSet::new(),
            faults: Vec::new(),
        }
    }

    fn consent(&mut self, submission: &Submission) {
        if !submission.consent.is_some_and(|consent| consent.given) {
            let message = Message::new("没有受访者的同意", "there is no consent");
            self.faults.push(ItemFault::new("/consent", None, ItemFaultCode::NoConsent, message));
        }
    }

    fn order_shown(&mut self, submission: &Submission) {
        for (i, id) in submission.order_shown.iter().enumerate() {
            if self.questionnaire.item_index(id).is_none() {
                let pointer = format!("/order_shown/{i}");
                self.faults.push(ItemFault::new(pointer, Some(id), ItemFaultCode::UnknownItem, unknown_item(id)));
            }
        }
    }

    fn answers(&mut self, submission: &Submission) {
        for sent in &submission.answers {
            let pointer = || format!("/answers/{}", sent.place);
            let Some(at) = self.questionnaire.item_index(&sent.item) else {
                let message = unknown_item(&sent.item);
                self.faults.push(ItemFault::new(pointer(), Some(&sent.item), ItemFaultCode::UnknownItem, message));
                continue;
            };
            let item = self.questionnaire.item_at(at);
            if self.sent_at[at].replace(sent.place).is_some() {
                let message = Message::new("同一题有两个答案", "the item has two answers");
                self.fault(pointer(), item, ItemFaultCode::DuplicateAnswer, message);
                continue;
            }
            let given = match &sent.value {
                SubmittedValue::Missing(kind) => Ok(Given::Missing(*kind)),
                SubmittedValue::Value(value) => value::read(item, value),
            };
            match given {
                Ok(given) => {
                    let (n_changes, shown_ms) = (sent.n_changes, sent.shown_ms);
                    self.answers[at] = Some(Answer { given, active: false, n_changes, shown_ms });
                }
                Err((code, message)) => self.fault(pointer(), item, code, message),
            }
        }
    }

    fn fault(&mut self, pointer: String, item: &'a Item, code: ItemFaultCode, message: Message) {
        self.doubtful.insert(&item.id);
        self.faults.push(ItemFault::new(pointer, Some(&item.id), code, message));
    }

    fn route(&mut self) {
        self.relevant = self.questionnaire.relevance(&self.answers);
        for (answer, relevant) in self.answers.iter_mut().zip(&self.relevant) {
            if let Some(answer) = answer {
                answer.active = *relevant;
            }
        }
        for (at, item) in self.questionnaire.items().enumerate() {
            let section = self.questionnaire.section_of(at);
            let mut rules = section.relevant_when.iter().chain(&item.relevant_when);
            if rules.any(|rule| !rule.items().is_disjoint(&self.doubtful)) {
                self.doubtful.insert(&item.id);
            }
        }
    }

    fn completeness(&mut self) {
        for (at, item) in self.questionnaire.items().enumerate() {
            if !self.relevant[at] || self.doubtful.contains(item.id.as_str()) {
                continue;
            }
            match self.answers[at].as_ref().map(|answer| &answer.given) {
                None if item.required => {
                    let message = Message::new("必答题没有答案", "a required item has no answer");
                    let fault = ItemFault::new("/answers", Some(&item.id), ItemFaultCode::RequiredMissing, message);
                    self.faults.push(fault);
                }
                Some(Given::Missing(kind)) if !item.allows(*kind) => {
                    let pointer = format!("/answers/{}", self.sent_at[at].unwrap_or_default());
                    let (name, en) = (chinese_name(*kind), kind.as_str());
                    let message = Message::new(format!("本题不允许“{name}”"), format!("the item does not allow {en}"));
                    let code = ItemFaultCode::MissingKindNotAllowed;
                    self.faults.push(ItemFault::new(pointer, Some(&item.id), code, message));
                }
                _ => {}
            }
        }
    }

    fn checks(&mut self) -> Vec<Notice> {
        let mut notices = Vec::new();
        let view = View { questionnaire: self.questionnaire, answers: &self.answers, relevant: &self.relevant };
        for (at, item) in self.questionnaire.items().enumerate().filter(|(at, _)| self.relevant[*at]) {
            for (c, check) in item.checks.iter().enumerate() {
                let rule = &check.fails_when;
                if !rule.items().is_disjoint(&self.doubtful) || !rule.holds(&view) {
                    continue;
                }
                let message = Message::new(check.message.get("zh-CN"), check.message.get("en"));
                if check.severity == Severity::Soft {
                    notices.push(Notice { item: item.id.clone(), check: c, message });
                    continue;
                }
                let pointer =
                    self.sent_at[at].map_or_else(|| "/answers".to_owned(), |place| format!("/answers/{place}"));
                let code = ItemFaultCode::HardCheckFailed;
                self.faults.push(ItemFault::new(pointer, Some(&item.id), code, message));
            }
        }
        notices
    }
}

fn unknown_item(id: &str) -> Message {
    Message::new(format!("问卷中没有题目“{id}”"), format!("the questionnaire has no item \"{id}\""))
}

fn chinese_name(kind: MissingKind) -> &'static str {
    match kind {
        MissingKind::DontKnow => "不知道",
        MissingKind::Refused => "拒答",
        MissingKind::NotApplicable => "不适用",
        MissingKind::NotAsked => "未问",
        MissingKind::NotReached => "中止未达",
    }
}
