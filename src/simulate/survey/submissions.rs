//! The interviews of a survey as tablets would send them.

use serde_json::{Value, json};
use uuid::{Builder, Uuid};

use super::body::{Body, Client, Consent, RosterPerson, Selection, SentAnswer, Timing};
use super::draw::{DrawnCase, DrawnSurvey};
use crate::instrument::{Given, Item, ItemKind, Questionnaire};
use crate::simulate::answers::{AnswerSheet, Respondent};
use crate::simulate::category::Sex;
use crate::simulate::place::DISTRICTS;
use crate::simulate::stream::{Purpose, Stream};

impl DrawnSurvey<'_> {
    /// One submission for each respondent, in the order of the cases: its UUIDv7 and its bytes.
    ///
    /// The id's time is the start of the interview and its random bits come from the survey's seed, so ids and bytes
    /// are the same whenever the same survey is asked for.
    pub fn submissions<'s>(&'s self, questionnaire: &'s Questionnaire) -> impl Iterator<Item = (Uuid, Vec<u8>)> + 's {
        let sheet = AnswerSheet::new(questionnaire);
        self.respondents().map(move |case| self.submission(questionnaire, &sheet, case))
    }

    /// One submission for each of these cases, whether the design has them respond or not: what a later visit may bring.
    /// Cases that are not in the sample are left out.
    pub fn interviews_of(&self, questionnaire: &Questionnaire, cases: &[&str]) -> Vec<(Uuid, Vec<u8>)> {
        let sheet = AnswerSheet::new(questionnaire);
        let found = cases.iter().filter_map(|id| self.cases.iter().find(|case| case.case_id == *id));
        found.map(|case| self.submission(questionnaire, &sheet, case)).collect()
    }

    fn submission(&self, questionnaire: &Questionnaire, sheet: &AnswerSheet<'_>, case: &DrawnCase) -> (Uuid, Vec<u8>) {
        let mut stream = Stream::new(self.design.seed, Purpose::Interview, u64::from(case.person));
        let started_ms = self.started_ms(case);
        let id = Builder::from_unix_timestamp_millis(started_ms as u64, &stream.bytes()).into_uuid();
        let given = sheet.fill(&self.respondent(case));
        let answers = sent(questionnaire, &given, &mut stream);
        let reading_ms: i64 = answers.iter().map(|answer| answer.ms).sum();
        // Greeting, consent and thanks take one to four minutes; interruptions stretch the rest by up to a quarter.
        let active_ms = reading_ms + 60_000 + stream.below(180_000) as i64;
        let body = Body {
            schema: 1,
            id,
            rev: 1,
            parent_rev: None,
            case: &case.case_id,
            assignment: None,
            instrument: questionnaire.hash(),
            draw: None,
            consent: Consent { given: true, at_ms: started_ms + 20_000 + stream.below(40_000) as i64 },
            selection: self.selection(case),
            roster: self.roster(case),
            order_shown: answers.iter().map(|answer| answer.i).collect(),
            answers,
            timing: Timing {
                started_ms,
                finished_ms: started_ms + active_ms + stream.below(active_ms as usize / 4 + 1) as i64,
                active_ms,
            },
            gps: None,
            attachments: [],
            client: self.client(case),
            note: "",
        };
        (id, serde_json::to_vec(&body).expect("a body of plain values is JSON"))
    }

    fn respondent(&self, case: &DrawnCase) -> Respondent<'_> {
        Respondent {
            seed: self.city.parameters().seed,
            id: case.person,
            person: self.person(case),
            asked_on: self.design.fieldwork_start,
        }
    }

    fn selection(&self, case: &DrawnCase) -> Selection {
        let first = self.household(case).persons.start;
        Selection {
            method: "uniform",
            n_eligible: case.n_eligible,
            selected_no: case.person - first + 1,
            prob: 1.0 / f64::from(case.n_eligible),
        }
    }

    /// The members aged 18 to 69 first, so that their numbers are those of the selection, then children and old people.
    fn roster(&self, case: &DrawnCase) -> Vec<RosterPerson> {
        let members = &self.city.persons()[to_range(&self.household(case).persons)];
        let mut people: Vec<(Sex, u8, bool)> = members.iter().map(|person| (person.sex, person.age, true)).collect();
        let mut stream = Stream::new(self.city.parameters().seed, Purpose::Roster, u64::from(case.household));
        let parents = members.iter().any(|person| (24..=48).contains(&person.age));
        for chance in if parents { [0.55, 0.15] } else { [0.03, 0.0] } {
            if stream.chance(chance) {
                people.push((Sex::ALL[stream.below(2)], stream.below(18) as u8, false));
            }
        }
        if stream.chance(0.12) {
            people.push((Sex::ALL[stream.below(2)], 70 + stream.below(18) as u8, false));
        }
        let numbered = people.into_iter().zip(1..);
        numbered.map(|((sex, age, eligible), no)| RosterPerson { no, sex: sex.code(), age, eligible }).collect()
    }

    fn client(&self, case: &DrawnCase) -> Client {
        let device = format!("示例平板-{}", DISTRICTS[self.psu(case).district].code);
        Client { release: "demo", device, tz: "+08:00", offset_ms: 0 }
    }
}

fn to_range(range: &std::ops::Range<u32>) -> std::ops::Range<usize> {
    range.start as usize..range.end as usize
}

fn sent<'q>(questionnaire: &'q Questionnaire, given: &[Option<Given>], stream: &mut Stream) -> Vec<SentAnswer<'q>> {
    let answered = questionnaire.items().zip(given).filter_map(|(item, given)| Some((item, given.as_ref()?)));
    answered
        .map(|(item, given)| {
            let (v, m) = value_or_missing(given);
            let n_changes = u8::from(stream.chance(0.04));
            SentAnswer { i: &item.id, v, m, n_changes, ms: shown_ms(item, stream) }
        })
        .collect()
}

fn value_or_missing(given: &Given) -> (Option<Value>, Option<&'static str>) {
    let value = match given {
        Given::Missing(kind) => return (None, Some(kind.as_str())),
        Given::Choice(text) | Given::Text(text) | Given::Date(text) => json!(text),
        Given::Choices(codes) => json!(codes),
        Given::Number(number) if number.fract() == 0.0 => json!(*number as i64),
        Given::Number(number) => json!(number),
        Given::Matrix(rows) => json!(rows),
    };
    (Some(value), None)
}

/// Four to sixteen seconds, and as long again for every row of a matrix.
fn shown_ms(item: &Item, stream: &mut Stream) -> i64 {
    let rows = if item.kind == ItemKind::Matrix { item.rows.len().max(1) } else { 1 };
    (0..rows).map(|_| 4_000 + stream.below(12_000) as i64).sum()
}
