//! Who interviews which case, what was drawn for it, and whose tablet must look again.

use diesel::{PgConnection, SqliteConnection, prelude::*};
use serde_json::json;

use super::{Act, Author, Database, ROWS_PER_INSERT_MAX, StorageError, audit::Appends, schema::*};

/// A case in somebody's hands.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = assignment)]
pub struct Assignment {
    /// UUID.
    pub id: String,
    /// The survey.
    pub survey_id: String,
    /// The case.
    pub case_id: String,
    /// Whose it is.
    pub person_id: String,
    /// Higher comes first on the tablet.
    pub priority: i32,
    /// Why it was moved; empty for a first assignment.
    pub reason: String,
    /// By whom.
    pub assigned_by: String,
    /// When.
    pub assigned_at_ms: i64,
}

/// What was drawn for a case, once.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = case_draw)]
pub struct CaseDraw {
    /// The survey.
    pub survey_id: String,
    /// The case.
    pub case_id: String,
    /// The questionnaire version the case is asked with.
    pub questionnaire_hash: String,
    /// The seed of the order, in decimal digits: it needs all 64 bits.
    pub seed: String,
    /// The rule that makes the order.
    pub algorithm: String,
    /// How the household's member is selected: `uniform` or `kish`.
    pub method: String,
    /// The number that selects, as its numerator over 2^53.
    pub u_numerator: i64,
    /// When.
    pub drawn_at_ms: i64,
}

/// A case as its surveyor's tablet sees it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct FieldCase {
    /// The assignment in force.
    pub assignment: Assignment,
    /// What was drawn.
    pub draw: CaseDraw,
    /// Six-digit code of the district.
    pub district: String,
    /// First-stage cluster.
    pub psu: String,
    /// `urban` or `rural`.
    pub residence: String,
    /// State of the interview that counts for the case, if one does.
    pub interview: Option<String>,
}

/// A change that concerns one person: look at this case again.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = field_change)]
pub struct FieldChange {
    /// The entry of the audit log it came with.
    pub log_seq: i64,
    /// The survey.
    pub survey_id: String,
    /// The case.
    pub case_id: String,
}

#[derive(Insertable)]
#[diesel(table_name = field_change)]
struct ChangeRow<'a> {
    log_seq: i64,
    person_id: &'a str,
    survey_id: &'a str,
    case_id: &'a str,
}

/// A connection that can tell tablets; the one body below serves both backends.
pub(super) trait TellsTablets {
    /// Tells whoever has the interview's case that the entry of the log changed it. Comes after the entry, whose place it
    /// needs; nobody else writes under that place, so nobody waits.
    fn tell_holder(&mut self, interview_id: &str, log_seq: i64) -> Result<(), StorageError>;
}

macro_rules! tells_tablets {
    ($connection:ty) => {
        impl TellsTablets for $connection {
            fn tell_holder(&mut self, interview_id: &str, log_seq: i64) -> Result<(), StorageError> {
                let of = assignment::survey_id.nullable().eq(interview::survey_id);
                let of = of.and(assignment::case_id.nullable().eq(interview::case_id));
                let holder: Option<(String, String, String)> = interview::table
                    .inner_join(assignment::table.on(of.and(assignment::ended_at_ms.is_null())))
                    .filter(interview::id.eq(interview_id))
                    .select((assignment::person_id, assignment::survey_id, assignment::case_id))
                    .first(self)
                    .optional()?;
                if let Some((person_id, survey_id, case_id)) = &holder {
                    diesel::insert_into(field_change::table)
                        .values(ChangeRow { log_seq, person_id, survey_id, case_id })
                        .execute(self)?;
                }
                Ok(())
            }
        }
    };
}

tells_tablets!(SqliteConnection);
tells_tablets!(PgConnection);

impl Database {
    /// Gives cases to persons and ends whatever held them before, all or nothing. The first assignment of a case keeps
    /// its draw; later ones leave it alone. Giving a case to whom it belongs already changes its priority only.
    ///
    /// # Errors
    /// Whatever the database refused; then nothing changed.
    pub fn assign(
        &self,
        survey_id: &str,
        new: &[(Assignment, CaseDraw)],
        by: &Author,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        writing!(self, c => {
            // Two assignments of one survey at once take their turn at its row.
            diesel::update(survey::table.find(survey_id)).set(survey::id.eq(survey::id)).execute(c)?;
            let (mut acts, mut told) = (Vec::new(), Vec::new());
            for (row, draw) in new {
                let held = assignment::table.filter(
                    assignment::survey_id.eq(survey_id)
                        .and(assignment::case_id.eq(&row.case_id))
                        .and(assignment::ended_at_ms.is_null()),
                );
                let before: Option<(String, String)> =
                    held.select((assignment::id, assignment::person_id)).first(c).optional()?;
                let same = before.as_ref().is_some_and(|(_, person)| *person == row.person_id);
                if let (Some((id, _)), true) = (&before, same) {
                    diesel::update(assignment::table.find(id)).set(assignment::priority.eq(row.priority)).execute(c)?;
                } else {
                    if let Some((id, _)) = &before {
                        diesel::update(assignment::table.find(id))
                            .set((assignment::ended_at_ms.eq(now_ms), assignment::ended_by.eq(&by.id)))
                            .execute(c)?;
                    }
                    diesel::insert_into(case_draw::table).values(draw).on_conflict_do_nothing().execute(c)?;
                    diesel::insert_into(assignment::table).values(row).execute(c)?;
                }
                let from = before.map(|(_, person)| person);
                let detail = json!({ "user": row.person_id, "before": from, "priority": row.priority });
                acts.push(Act::done(by, now_ms, "case.assign", format!("case/{survey_id}/{}", row.case_id), detail));
                told.push((row, from.filter(|_| !same)));
            }
            let first = c.append(&acts)?;
            // After the entries, whose places these rows carry; nobody else writes under those places.
            let mut rows = Vec::new();
            for (log_seq, (row, from)) in (first..).zip(&told) {
                let case_id = row.case_id.as_str();
                let persons = [Some(row.person_id.as_str()), from.as_deref()];
                rows.extend(persons.into_iter().flatten().map(|person_id| ChangeRow { log_seq, person_id, survey_id, case_id }));
            }
            for rows in rows.chunks(ROWS_PER_INSERT_MAX) {
                diesel::insert_into(field_change::table).values(rows).execute(c)?;
            }
            Ok(())
        })
    }

    /// The assignments in force of a survey within these districts after a case, in the order of the cases.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn assignments(
        &self,
        survey_id: &str,
        district: &str,
        person_id: Option<&str>,
        after: &str,
        rows_max: i64,
    ) -> Result<Vec<Assignment>, StorageError> {
        let of = sample_case::survey_id.eq(assignment::survey_id).and(sample_case::case_id.eq(assignment::case_id));
        Ok(reading!(self, c => {
            let mut query = assignment::table
                .inner_join(sample_case::table.on(of))
                .filter(assignment::survey_id.eq(survey_id).and(assignment::ended_at_ms.is_null()))
                .filter(assignment::case_id.gt(after).and(sample_case::district.like(format!("{district}%"))))
                .order(assignment::case_id)
                .limit(rows_max)
                .select(Assignment::as_select())
                .into_boxed();
            if let Some(person_id) = person_id {
                query = query.filter(assignment::person_id.eq(person_id));
            }
            query.load(c)
        })?)
    }

    /// The cases a person holds after a place in the order of surveys and cases, and only these if some are named.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn field_cases(
        &self,
        person_id: &str,
        only: Option<&[String]>,
        (survey_id, case_id): (&str, &str),
        rows_max: i64,
    ) -> Result<Vec<FieldCase>, StorageError> {
        let sampled =
            sample_case::survey_id.eq(assignment::survey_id).and(sample_case::case_id.eq(assignment::case_id));
        let drawn = case_draw::survey_id.eq(assignment::survey_id).and(case_draw::case_id.eq(assignment::case_id));
        let counts = canonical_interview::survey_id.eq(assignment::survey_id);
        let counts = counts.and(canonical_interview::case_id.eq(assignment::case_id));
        let heard = interview::id.eq(canonical_interview::interview_id);
        let after = assignment::survey_id.gt(survey_id);
        let after = after.or(assignment::survey_id.eq(survey_id).and(assignment::case_id.gt(case_id)));
        Ok(reading!(self, c => {
            let mut query = assignment::table
                .inner_join(sample_case::table.on(sampled))
                .inner_join(case_draw::table.on(drawn))
                .left_join(canonical_interview::table.on(counts))
                .left_join(interview::table.on(heard))
                .filter(assignment::person_id.eq(person_id).and(assignment::ended_at_ms.is_null()).and(after))
                .order((assignment::survey_id, assignment::case_id))
                .limit(rows_max)
                .select((
                    Assignment::as_select(),
                    CaseDraw::as_select(),
                    sample_case::district,
                    sample_case::psu,
                    sample_case::residence,
                    interview::state.nullable(),
                ))
                .into_boxed();
            if let Some(only) = only {
                query = query.filter(assignment::case_id.eq_any(only.to_vec()));
            }
            query.load(c)
        })?)
    }

    /// What changed for a person after an entry of the log, in order.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn field_changes(&self, person_id: &str, after: i64, rows_max: i64) -> Result<Vec<FieldChange>, StorageError> {
        Ok(reading!(self, c => field_change::table
            .filter(field_change::person_id.eq(person_id).and(field_change::log_seq.gt(after)))
            .order(field_change::log_seq)
            .limit(rows_max)
            .select(FieldChange::as_select())
            .load(c))?)
    }

    /// Who holds a case, and whether anybody ever did.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn holder(&self, survey_id: &str, case_id: &str) -> Result<(Option<String>, bool), StorageError> {
        let rows: Vec<(String, Option<i64>)> = reading!(self, c => assignment::table
            .filter(assignment::survey_id.eq(survey_id).and(assignment::case_id.eq(case_id)))
            .select((assignment::person_id, assignment::ended_at_ms))
            .load(c))?;
        let ever = !rows.is_empty();
        Ok((rows.into_iter().find(|(_, ended)| ended.is_none()).map(|(person, _)| person), ever))
    }

    /// The districts of these cases, of those that the sample has; a reserve once it was released.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn districts_of(&self, survey_id: &str, cases: &[String]) -> Result<Vec<(String, String)>, StorageError> {
        Ok(reading!(self, c => sample_case::table
            .left_join(substitution::table.on(
                substitution::survey_id.eq(sample_case::survey_id)
                    .and(substitution::reserve_case.eq(sample_case::case_id.nullable())),
            ))
            .filter(sample_case::survey_id.eq(survey_id).and(sample_case::case_id.eq_any(cases.to_vec())))
            .filter(sample_case::reserve_rank.is_null().or(substitution::id.nullable().is_not_null()))
            .order(sample_case::case_id)
            .select((sample_case::case_id, sample_case::district))
            .load(c))?)
    }
}
