//! Giving cases to surveyors, and drawing what every case needs before anybody knocks.

use std::collections::{BTreeMap, BTreeSet};

use super::{Actor, Clock, Fault, Refusal, Role, Text, enrolment::works_in, secrets};
use crate::{
    instrument::{DRAW_ALGORITHM, Precommitted, SelectionMethod},
    storage::{Assignment, CaseDraw, Database, Survey},
};

/// A case for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAssignment {
    /// The case.
    pub case: String,
    /// The person's id.
    pub user: String,
    /// Higher comes first on the tablet.
    pub priority: i32,
    /// Why it is moved.
    pub reason: String,
}

/// Gives cases to persons, all or nothing. The first time a case is given away its order and its selecting number are drawn.
///
/// # Errors
/// `Faults` with the place of each: a case twice, outside the sample or the asker's region, a person who may not work in
/// its district. Then nothing changed.
pub fn assign(
    database: &Database,
    survey: &Survey,
    new: &[NewAssignment],
    method: SelectionMethod,
    by: &Actor,
    clock: &Clock,
) -> Result<(), Refusal> {
    let now_ms = clock.now_ms();
    let faults = faults(database, survey, new, by, now_ms)?;
    if !faults.is_empty() {
        return Err(Refusal::Faults(faults));
    }
    let author = by.author();
    let row = |new: &NewAssignment| -> Result<(Assignment, CaseDraw), Refusal> {
        let (survey_id, case_id) = (survey.id.clone(), new.case.clone());
        let draw = draw(survey, &case_id, method, now_ms)?;
        let assignment = Assignment {
            id: clock.uuid().to_string(),
            survey_id,
            case_id,
            person_id: new.user.clone(),
            priority: new.priority,
            reason: new.reason.clone(),
            assigned_by: author.id.clone(),
            assigned_at_ms: now_ms,
        };
        Ok((assignment, draw))
    };
    let rows: Vec<_> = new.iter().map(row).collect::<Result<_, _>>()?;
    Ok(database.assign(&survey.id, &rows, &author, now_ms)?)
}

fn draw(survey: &Survey, case_id: &str, method: SelectionMethod, now_ms: i64) -> Result<CaseDraw, Refusal> {
    let seed = u64::from_le_bytes(secrets::random()?);
    let u = Precommitted::from_bits(u64::from_le_bytes(secrets::random()?));
    Ok(CaseDraw {
        survey_id: survey.id.clone(),
        case_id: case_id.to_owned(),
        questionnaire_hash: survey.questionnaire_hash.clone(),
        seed: seed.to_string(),
        algorithm: DRAW_ALGORITHM.to_owned(),
        method: method.name().to_owned(),
        u_numerator: u.numerator().cast_signed(),
        drawn_at_ms: now_ms,
    })
}

fn faults(
    database: &Database,
    survey: &Survey,
    new: &[NewAssignment],
    by: &Actor,
    now_ms: i64,
) -> Result<Vec<Fault>, Refusal> {
    let cases: Vec<String> = new.iter().map(|one| one.case.clone()).collect();
    let scope = by.scope.as_deref().unwrap_or_default();
    let districts: BTreeMap<String, String> = database
        .districts_of(&survey.id, &cases)?
        .into_iter()
        .filter(|(_, district)| district.starts_with(scope))
        .collect();
    let mut persons = Persons { database, now_ms, known: BTreeMap::new() };
    let (mut seen, mut faults) = (BTreeSet::new(), Vec::new());
    for (at, one) in new.iter().enumerate() {
        let case = |code, zh, en| Fault::new(code, Text::new(zh, en)).at(&format!("/assign/{at}/case"));
        if !seen.insert(one.case.as_str()) {
            faults.push(case("duplicate", "该样本在本次请求中重复", "the case stands in this request twice"));
            continue;
        }
        let Some(district) = districts.get(&one.case) else {
            faults.push(case(
                "unknown-case",
                "样本中没有此户，或不在您的区域内",
                "no such case in the sample within your region",
            ));
            continue;
        };
        if !persons.may_work(&one.user, district)? {
            let text = Text::new(
                "此人不存在、已停用，或不能在该区域访问",
                "no active person who may interview in this district",
            );
            faults.push(Fault::new("unknown-user", text).at(&format!("/assign/{at}/user")));
        }
    }
    Ok(faults)
}

/// Who may work where, each looked up once.
struct Persons<'a> {
    database: &'a Database,
    now_ms: i64,
    known: BTreeMap<(String, String), bool>,
}

impl Persons<'_> {
    fn may_work(&mut self, person: &str, district: &str) -> Result<bool, Refusal> {
        let key = (person.to_owned(), district.to_owned());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let active = self.database.person(person)?.is_some_and(|person| person.status == "active");
        let may = active && works_in(self.database, person, district, self.now_ms)?;
        self.known.insert(key, may);
        Ok(may)
    }
}

/// Whether a case lies within the actor's region and, for a surveyor, is theirs or nobody's.
///
/// # Errors
/// Whatever the database refused.
pub fn may_see_case(database: &Database, actor: &Actor, survey_id: &str, case_id: &str) -> Result<bool, Refusal> {
    let Some(district) = database.case_district(survey_id, case_id)? else { return Ok(false) };
    if !district.starts_with(actor.scope.as_deref().unwrap_or_default()) {
        return Ok(false);
    }
    if actor.role != Role::Surveyor {
        return Ok(true);
    }
    let (holder, ever) = database.holder(survey_id, case_id)?;
    Ok(!ever || (holder.is_some() && holder == actor.user))
}
