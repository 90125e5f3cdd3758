//! Surveys, their files and the rows of their samples.

use diesel::prelude::*;

use serde_json::json;

use super::{Act, Author, CaseDraw, Database, ROWS_PER_INSERT_MAX, StorageError, audit::Appends, schema::*};

/// One wave of data collection.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = survey)]
pub struct Survey {
    /// UUID.
    pub id: String,
    /// Short name, unique.
    pub code: String,
    /// Title in Chinese.
    pub title: String,
    /// The place surveyed.
    pub place: String,
    /// The one questionnaire version of the wave.
    pub questionnaire_hash: String,
    /// The scoring profile's id.
    pub profile_id: String,
    /// Its version.
    pub profile_version: String,
    /// Its file, as it was when the survey was made.
    pub profile_source: String,
    /// First day of fieldwork, ISO 8601.
    pub fieldwork_from: String,
    /// Last day of fieldwork, ISO 8601.
    pub fieldwork_to: String,
    /// Whether the data are made up.
    pub example: bool,
    /// `open` or `closed`.
    pub state: String,
    /// When it was made.
    pub created_at_ms: i64,
}

/// What a survey's file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// One row a sampled case with its design.
    Sample,
    /// Population totals to rake to.
    Margins,
    /// The districts and their names.
    Regions,
    /// The targets to judge against.
    Targets,
}

impl FileKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Sample, Self::Margins, Self::Regions, Self::Targets];

    /// The kind's name in paths and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Margins => "margins",
            Self::Regions => "regions",
            Self::Targets => "targets",
        }
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A file on its way into a survey.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'a> {
    /// What it holds.
    pub kind: FileKind,
    /// SHA-256 of its bytes.
    pub sha256: &'a str,
    /// Its text.
    pub content: &'a str,
    /// When it came.
    pub received_at_ms: i64,
    /// From whom.
    pub by: &'a Author,
}

/// A version of a survey's file without its text.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = survey_file)]
pub struct SurveyFile {
    /// What it holds.
    pub kind: String,
    /// 1 for the first.
    pub version: i32,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// When it came.
    pub received_at_ms: i64,
}

/// A version of a survey's file with its text.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = survey_file)]
pub struct StoredFile {
    /// 1 for the first.
    pub version: i32,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its text.
    pub content: String,
}

/// One sampled case, for look-ups.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = sample_case)]
pub struct SampleCase {
    /// The survey.
    pub survey_id: String,
    /// The case within it.
    pub case_id: String,
    /// Six-digit district code.
    pub district: String,
    /// Design stratum.
    pub stratum: String,
    /// First-stage cluster.
    pub psu: String,
    /// `urban` or `rural`.
    pub residence: String,
    /// Stage probabilities as a JSON object, as the file has them.
    pub probabilities: String,
    /// Its place among the reserves of its cluster; none of an original case.
    pub reserve_rank: Option<i32>,
}

#[derive(Insertable)]
#[diesel(table_name = survey_file)]
struct FileRow<'a> {
    survey_id: &'a str,
    kind: &'a str,
    version: i32,
    sha256: &'a str,
    content: &'a str,
    received_at_ms: i64,
    received_from: &'a str,
}

impl Database {
    /// Makes a survey.
    ///
    /// # Errors
    /// `CodeTaken` when another has the code.
    pub fn create_survey(&self, new: &Survey, by: &Author) -> Result<(), StorageError> {
        writing!(self, c => {
            let inserted = diesel::insert_into(survey::table).values(new).on_conflict(survey::code).do_nothing().execute(c)?;
            if inserted == 0 {
                return Err(StorageError::CodeTaken(new.code.clone()));
            }
            let version = (
                survey_questionnaire::survey_id.eq(&new.id),
                survey_questionnaire::questionnaire_hash.eq(&new.questionnaire_hash),
                survey_questionnaire::since_ms.eq(new.created_at_ms),
            );
            diesel::insert_into(survey_questionnaire::table).values(version).execute(c)?;
            let detail = json!({ "code": new.code, "questionnaire": new.questionnaire_hash, "profile": new.profile_id });
            c.append(&[Act::done(by, new.created_at_ms, "survey.create", format!("survey/{}", new.id), detail)])?;
            Ok(())
        })
    }

    /// The survey with this id.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn survey(&self, id: &str) -> Result<Option<Survey>, StorageError> {
        Ok(reading!(self, c => survey::table.find(id).select(Survey::as_select()).first(c).optional())?)
    }

    /// Every survey, in the order of their codes.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn surveys(&self) -> Result<Vec<Survey>, StorageError> {
        Ok(reading!(self, c => survey::table.order(survey::code).select(Survey::as_select()).load(c))?)
    }

    /// Puts a file into the survey as a new version, and its cases in place of the earlier ones when it is the sample:
    /// all or nothing. The version in force again changes nothing. Returns the version and whether it is new.
    ///
    /// # Errors
    /// Whatever the database refused; then nothing changed.
    pub fn put_survey_file(
        &self,
        survey_id: &str,
        new: NewFile<'_>,
        cases: &[SampleCase],
    ) -> Result<(i32, bool), StorageError> {
        writing!(self, c => {
            // Two uploads at once take their turn at the survey's row.
            diesel::update(survey::table.find(survey_id)).set(survey::id.eq(survey::id)).execute(c)?;
            let current: Option<(i32, String)> = survey_file::table
                .filter(survey_file::survey_id.eq(survey_id).and(survey_file::kind.eq(new.kind.name())))
                .order(survey_file::version.desc())
                .select((survey_file::version, survey_file::sha256))
                .first(c)
                .optional()?;
            if let Some((version, digest)) = &current && digest == new.sha256 {
                return Ok((*version, false));
            }
            let version = current.map_or(1, |(version, _)| version + 1);
            let NewFile { kind, sha256, content, received_at_ms, by } = new;
            let received_from = by.id.as_str();
            let row = FileRow { survey_id, kind: kind.name(), version, sha256, content, received_at_ms, received_from };
            diesel::insert_into(survey_file::table).values(row).execute(c)?;
            if kind == FileKind::Sample {
                diesel::delete(sample_case::table.filter(sample_case::survey_id.eq(survey_id))).execute(c)?;
                for rows in cases.chunks(ROWS_PER_INSERT_MAX) {
                    diesel::insert_into(sample_case::table).values(rows).execute(c)?;
                }
            }
            let object = format!("survey/{survey_id}");
            let detail = json!({ "kind": kind.name(), "version": version, "sha256": sha256 });
            c.append(&[Act::done(by, received_at_ms, "survey.put-file", object, detail)])?;
            Ok((version, true))
        })
    }

    /// The versions in force, in the order of their kinds.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn survey_files(&self, survey_id: &str) -> Result<Vec<SurveyFile>, StorageError> {
        let all: Vec<SurveyFile> = reading!(self, c => survey_file::table
            .filter(survey_file::survey_id.eq(survey_id))
            .order((survey_file::kind, survey_file::version))
            .select(SurveyFile::as_select())
            .load(c))?;
        let is_last = |at: usize| all.get(at + 1).is_none_or(|next| next.kind != all[at].kind);
        Ok((0..all.len()).filter(|at| is_last(*at)).map(|at| all[at].clone()).collect())
    }

    /// The version of a kind in force.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn survey_file(&self, survey_id: &str, kind: FileKind) -> Result<Option<StoredFile>, StorageError> {
        Ok(reading!(self, c => survey_file::table
            .filter(survey_file::survey_id.eq(survey_id).and(survey_file::kind.eq(kind.name())))
            .order(survey_file::version.desc())
            .select(StoredFile::as_select())
            .first(c)
            .optional())?)
    }

    /// Gives a survey's new cases another version of its questionnaire; the earlier ones stay good for interviews. Whether
    /// it was another.
    ///
    /// # Errors
    /// Whatever the database refused; then nothing changed.
    pub fn set_survey_questionnaire(
        &self,
        survey_id: &str,
        hash: &str,
        by: &Author,
        now_ms: i64,
    ) -> Result<bool, StorageError> {
        writing!(self, c => {
            // Assignments of the survey take their turn at its row, too: each gets one version or the other.
            diesel::update(survey::table.find(survey_id)).set(survey::id.eq(survey::id)).execute(c)?;
            let before: String = survey::table.find(survey_id).select(survey::questionnaire_hash).first(c)?;
            if before == hash {
                return Ok(false);
            }
            let version = (
                survey_questionnaire::survey_id.eq(survey_id),
                survey_questionnaire::questionnaire_hash.eq(hash),
                survey_questionnaire::since_ms.eq(now_ms),
            );
            diesel::insert_into(survey_questionnaire::table).values(version).on_conflict_do_nothing().execute(c)?;
            diesel::update(survey::table.find(survey_id)).set(survey::questionnaire_hash.eq(hash)).execute(c)?;
            let detail = json!({ "questionnaire": hash, "before": before });
            c.append(&[Act::done(by, now_ms, "survey.set-questionnaire", format!("survey/{survey_id}"), detail)])?;
            Ok(true)
        })
    }

    /// The versions that a survey's interviews may be made by, in the order of their hashes.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn survey_versions(&self, survey_id: &str) -> Result<Vec<String>, StorageError> {
        Ok(reading!(self, c => survey_questionnaire::table
            .filter(survey_questionnaire::survey_id.eq(survey_id))
            .order(survey_questionnaire::questionnaire_hash)
            .select(survey_questionnaire::questionnaire_hash)
            .load(c))?)
    }

    /// The surveys that take this version of a questionnaire and have this case in their sample, in the order of their ids,
    /// with what was drawn for the case there. A reserve is in it once it was released.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn surveys_with_case(
        &self,
        questionnaire_hash: &str,
        case_id: &str,
    ) -> Result<Vec<(String, Option<CaseDraw>)>, StorageError> {
        let drawn = case_draw::survey_id.eq(sample_case::survey_id).and(case_draw::case_id.eq(sample_case::case_id));
        Ok(reading!(self, c => sample_case::table
            .inner_join(survey_questionnaire::table.on(survey_questionnaire::survey_id.eq(sample_case::survey_id)))
            .left_join(case_draw::table.on(drawn))
            .left_join(substitution::table.on(
                substitution::survey_id.eq(sample_case::survey_id)
                    .and(substitution::reserve_case.eq(sample_case::case_id.nullable())),
            ))
            .filter(survey_questionnaire::questionnaire_hash.eq(questionnaire_hash).and(sample_case::case_id.eq(case_id)))
            .filter(sample_case::reserve_rank.is_null().or(substitution::id.nullable().is_not_null()))
            .order(sample_case::survey_id)
            .select((sample_case::survey_id, Option::<CaseDraw>::as_select()))
            .load(c))?)
    }

    /// How many cases the survey's sample has; a reserve is in it once it was released.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn sample_size(&self, survey_id: &str) -> Result<i64, StorageError> {
        Ok(reading!(self, c => sample_case::table
            .left_join(substitution::table.on(
                substitution::survey_id.eq(sample_case::survey_id)
                    .and(substitution::reserve_case.eq(sample_case::case_id.nullable())),
            ))
            .filter(sample_case::survey_id.eq(survey_id))
            .filter(sample_case::reserve_rank.is_null().or(substitution::id.nullable().is_not_null()))
            .count()
            .get_result(c))?)
    }
}
