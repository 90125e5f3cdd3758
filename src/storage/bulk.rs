//! The statements on many rows that the backends spell differently: SQLite, in this process, is quickest with one prepared
//! statement again and again; PostgreSQL with one round trip for all rows, and it has locks on rows.

use std::collections::BTreeSet;

use diesel::{PgConnection, SqliteConnection, prelude::*, upsert::excluded};

use super::{InterviewState, schema::*};

#[derive(Insertable)]
#[diesel(table_name = submission_raw)]
pub(super) struct RawRow<'a> {
    pub(super) id: &'a str,
    pub(super) rev: i32,
    pub(super) sha256: &'a str,
    pub(super) body: &'a [u8],
    pub(super) content_type: &'a str,
    pub(super) received_at_ms: i64,
    pub(super) received_from: &'a str,
    pub(super) conflict: bool,
    pub(super) revoked: bool,
}

/// A head as it begins: nothing is judged.
#[derive(Insertable)]
#[diesel(table_name = interview)]
pub(super) struct NewHead<'a> {
    pub(super) id: &'a str,
    pub(super) state: &'a str,
    pub(super) has_conflict: bool,
    pub(super) current_rev: i32,
    pub(super) current_seq: i64,
    pub(super) changed_at_ms: i64,
}

/// A head whose first body came with a good judgement, as both leave it.
#[derive(Insertable)]
#[diesel(table_name = interview)]
pub(super) struct FirstHead<'a> {
    pub(super) id: &'a str,
    pub(super) state: &'static str,
    pub(super) has_conflict: bool,
    pub(super) current_rev: i32,
    pub(super) current_seq: i64,
    pub(super) survey_id: &'a str,
    pub(super) case_id: &'a str,
    pub(super) questionnaire_hash: &'a str,
    pub(super) answers: &'a str,
    pub(super) changed_at_ms: i64,
    pub(super) district: Option<String>,
    pub(super) surveyor: &'a str,
}

impl FirstHead<'_> {
    pub(super) fn state(&self) -> InterviewState {
        InterviewState::named(self.state).unwrap_or(InterviewState::Received)
    }

    /// Where it stands, by whether it is the first of its case.
    fn settle(&mut self, counts: bool) {
        let state = if counts { InterviewState::Received.after_new_body() } else { InterviewState::Surplus };
        self.state = state.name();
    }
}

#[derive(Insertable)]
#[diesel(table_name = receipt)]
pub(super) struct ReceiptRow<'a> {
    pub(super) server_seq: i64,
    pub(super) short_code: &'a str,
    pub(super) body: &'a str,
}

/// Writing many rows of a kind.
pub(super) trait Bulk {
    /// Which of these ids had no head before. Until this transaction ends nobody else can begin them.
    fn begin_heads(&mut self, rows: &[&NewHead<'_>]) -> QueryResult<BTreeSet<String>>;
    /// Writes new heads that `settle_heads` will not write.
    fn add_heads(&mut self, rows: &[&NewHead<'_>]) -> QueryResult<()>;
    /// Nobody else changes these heads before this transaction ends.
    fn hold_heads(&mut self, ids: &BTreeSet<&str>) -> QueryResult<()>;
    /// Each row's `server_seq`.
    fn add_bodies(&mut self, rows: &[&RawRow<'_>]) -> QueryResult<Vec<i64>>;
    fn add_receipts(&mut self, rows: &[ReceiptRow<'_>]) -> QueryResult<()>;
    /// Notes that these wait for a judgement.
    fn add_unjudged(&mut self, seqs: &[i64]) -> QueryResult<()>;
    /// Takes the cases of new heads for them where nobody has the case, the first first, and writes the heads.
    fn settle_heads(&mut self, heads: &mut [FirstHead<'_>]) -> QueryResult<()>;
}

impl Bulk for SqliteConnection {
    fn begin_heads(&mut self, rows: &[&NewHead<'_>]) -> QueryResult<BTreeSet<String>> {
        // Whoever writes is alone, so the rows themselves can wait until all of them is known.
        let ids: Vec<&str> = rows.iter().map(|row| row.id).collect();
        let there = interview::table.filter(interview::id.eq_any(ids)).select(interview::id);
        let there: BTreeSet<String> = there.load::<String>(self)?.into_iter().collect();
        Ok(rows.iter().map(|row| row.id.to_owned()).filter(|id| !there.contains(id)).collect())
    }

    fn add_heads(&mut self, rows: &[&NewHead<'_>]) -> QueryResult<()> {
        for row in rows {
            diesel::insert_into(interview::table).values(*row).execute(self)?;
        }
        Ok(())
    }

    fn hold_heads(&mut self, _: &BTreeSet<&str>) -> QueryResult<()> {
        Ok(()) // Whoever writes is alone.
    }

    fn add_bodies(&mut self, rows: &[&RawRow<'_>]) -> QueryResult<Vec<i64>> {
        let seq = submission_raw::server_seq;
        rows.iter()
            .map(|row| diesel::insert_into(submission_raw::table).values(*row).returning(seq).get_result(self))
            .collect()
    }

    fn add_receipts(&mut self, rows: &[ReceiptRow<'_>]) -> QueryResult<()> {
        for row in rows {
            diesel::insert_into(receipt::table).values(row).execute(self)?;
        }
        Ok(())
    }

    fn add_unjudged(&mut self, seqs: &[i64]) -> QueryResult<()> {
        for seq in seqs {
            diesel::insert_into(submission_unjudged::table)
                .values(submission_unjudged::server_seq.eq(seq))
                .execute(self)?;
        }
        Ok(())
    }

    fn settle_heads(&mut self, heads: &mut [FirstHead<'_>]) -> QueryResult<()> {
        let surveys: BTreeSet<&str> = heads.iter().map(|head| head.survey_id).collect();
        let cases: BTreeSet<&str> = heads.iter().map(|head| head.case_id).collect();
        let taken = canonical_interview::table
            .filter(canonical_interview::survey_id.eq_any(surveys).and(canonical_interview::case_id.eq_any(cases)))
            .select((canonical_interview::survey_id, canonical_interview::case_id));
        let mut taken: BTreeSet<(String, String)> = taken.load(self)?.into_iter().collect();
        for head in heads {
            let counts = taken.insert((head.survey_id.to_owned(), head.case_id.to_owned()));
            head.settle(counts);
            diesel::insert_into(interview::table).values(&*head).execute(self)?;
            if counts {
                diesel::insert_into(canonical_interview::table).values(claim(head)).execute(self)?;
            }
        }
        Ok(())
    }
}

impl Bulk for PgConnection {
    fn begin_heads(&mut self, rows: &[&NewHead<'_>]) -> QueryResult<BTreeSet<String>> {
        let insert = diesel::insert_into(interview::table).values(rows.to_vec()).on_conflict(interview::id);
        let made: Vec<String> = insert.do_nothing().returning(interview::id).get_results(self)?;
        Ok(made.into_iter().collect())
    }

    fn add_heads(&mut self, _: &[&NewHead<'_>]) -> QueryResult<()> {
        Ok(()) // Beginning them wrote them.
    }

    fn hold_heads(&mut self, ids: &BTreeSet<&str>) -> QueryResult<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = ids.iter().copied().collect();
        let held = interview::table.filter(interview::id.eq_any(ids)).order(interview::id);
        held.select(interview::id).for_update().execute(self).map(|_| ())
    }

    fn add_bodies(&mut self, rows: &[&RawRow<'_>]) -> QueryResult<Vec<i64>> {
        let insert = diesel::insert_into(submission_raw::table).values(rows.to_vec());
        // SQL promises no order of what an insert returns.
        let name = (submission_raw::id, submission_raw::rev, submission_raw::sha256);
        let made: Vec<(i64, (String, i32, String))> =
            insert.returning((submission_raw::server_seq, name)).get_results(self)?;
        let seqs: std::collections::BTreeMap<(&str, i32, &str), i64> =
            made.iter().map(|(seq, (id, rev, sha256))| ((id.as_str(), *rev, sha256.as_str()), *seq)).collect();
        let seq = |row: &&RawRow<'_>| seqs.get(&(row.id, row.rev, row.sha256)).copied();
        rows.iter().map(|row| seq(row).ok_or(diesel::result::Error::NotFound)).collect()
    }

    fn add_receipts(&mut self, rows: &[ReceiptRow<'_>]) -> QueryResult<()> {
        diesel::insert_into(receipt::table).values(rows).execute(self).map(|_| ())
    }

    fn add_unjudged(&mut self, seqs: &[i64]) -> QueryResult<()> {
        let rows: Vec<_> = seqs.iter().map(|seq| submission_unjudged::server_seq.eq(*seq)).collect();
        diesel::insert_into(submission_unjudged::table).values(rows).execute(self).map(|_| ())
    }

    fn settle_heads(&mut self, heads: &mut [FirstHead<'_>]) -> QueryResult<()> {
        let claims: Vec<_> = heads.iter().map(claim).collect();
        let won = diesel::insert_into(canonical_interview::table).values(claims).on_conflict_do_nothing();
        let won: Vec<String> = won.returning(canonical_interview::interview_id).get_results(self)?;
        let won: BTreeSet<String> = won.into_iter().collect();
        for head in heads.iter_mut() {
            head.settle(won.contains(head.id));
        }
        diesel::insert_into(interview::table)
            .values(&*heads)
            .on_conflict(interview::id)
            .do_update()
            .set((
                interview::state.eq(excluded(interview::state)),
                interview::current_rev.eq(excluded(interview::current_rev)),
                interview::current_seq.eq(excluded(interview::current_seq)),
                interview::survey_id.eq(excluded(interview::survey_id)),
                interview::case_id.eq(excluded(interview::case_id)),
                interview::questionnaire_hash.eq(excluded(interview::questionnaire_hash)),
                interview::answers.eq(excluded(interview::answers)),
                interview::changed_at_ms.eq(excluded(interview::changed_at_ms)),
                interview::district.eq(excluded(interview::district)),
                interview::surveyor.eq(excluded(interview::surveyor)),
            ))
            .execute(self)
            .map(|_| ())
    }
}

type Claim<'a> = (
    diesel::dsl::Eq<canonical_interview::survey_id, &'a str>,
    diesel::dsl::Eq<canonical_interview::case_id, &'a str>,
    diesel::dsl::Eq<canonical_interview::interview_id, &'a str>,
);

/// That the case is this interview's.
fn claim<'a>(head: &FirstHead<'a>) -> Claim<'a> {
    (
        canonical_interview::survey_id.eq(head.survey_id),
        canonical_interview::case_id.eq(head.case_id),
        canonical_interview::interview_id.eq(head.id),
    )
}
