//! How far an asker sees, as a condition of the query itself: what is out of reach is as if it were not there.

use diesel::prelude::*;

use super::{Database, StorageError, schema::*};

/// The rows an asker may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everything.
    All,
    /// Cases whose district begins with these digits.
    Region(String),
    /// What one of these handed in.
    By(Vec<String>),
}

impl Reach {
    /// The reach of a grant: no digits mean everywhere.
    pub fn region(scope: Option<&str>) -> Self {
        scope.filter(|digits| !digits.is_empty()).map_or(Self::All, |digits| Self::Region(digits.to_owned()))
    }
}

impl Database {
    /// Whether a submission is within reach. One that nobody could judge yet has no case and lies in no region.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn reaches(&self, reach: &Reach, submission_id: &str) -> Result<bool, StorageError> {
        let found: i64 = match reach {
            Reach::All => return Ok(true),
            Reach::Region(digits) => reading!(self, c => interview::table
                .inner_join(sample_case::table.on(
                    sample_case::survey_id.nullable().eq(interview::survey_id)
                        .and(sample_case::case_id.nullable().eq(interview::case_id)),
                ))
                .filter(interview::id.eq(submission_id).and(sample_case::district.like(format!("{digits}%"))))
                .count()
                .get_result(c))?,
            Reach::By(ids) => reading!(self, c => submission_raw::table
                .filter(submission_raw::id.eq(submission_id).and(submission_raw::received_from.eq_any(ids)))
                .count()
                .get_result(c))?,
        };
        Ok(found > 0)
    }

    /// The receipts with this short code within reach, in the order of arrival; nearly always one.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn receipts_within(&self, reach: &Reach, short_code: &str) -> Result<Vec<String>, StorageError> {
        if *reach == Reach::All {
            return self.receipts(short_code);
        }
        let rows: Vec<(String, String)> = reading!(self, c => receipt::table
            .inner_join(submission_raw::table)
            .filter(receipt::short_code.eq(short_code))
            .order(receipt::server_seq)
            .select((submission_raw::id, receipt::body))
            .load(c))?;
        let mut bodies = Vec::new();
        for (id, body) in rows {
            bodies.extend(self.reaches(reach, &id)?.then_some(body));
        }
        Ok(bodies)
    }
}
