//! Keeping and judging many submissions in one transaction, so that they share one wait for the disk.
//!
//! A transaction takes its locks in the order of `judgements`, all of one kind before the next and each kind sorted:
//! the heads by id, then survey and case of each judgement, then the log. So two of them never wait in a ring.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{PgConnection, SqliteConnection, prelude::*};
use serde_json::json;

use super::{
    Arrival, Author, Database, InterviewState, Judgement, Kept, StorageError,
    audit::{Act, Appends},
    judgements::Judges,
    schema::*,
};
use crate::evidence::{Receipt, Signer};

/// What one transaction came to, in the order it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Together {
    /// How the arrivals are kept.
    pub kept: Vec<Kept>,
    /// Where the judged submissions stand.
    pub judged: Vec<InterviewState>,
}

#[derive(Insertable)]
#[diesel(table_name = submission_raw)]
struct RawRow<'a> {
    id: &'a str,
    rev: i32,
    sha256: &'a str,
    body: &'a [u8],
    content_type: &'a str,
    received_at_ms: i64,
    received_from: &'a str,
    conflict: bool,
    revoked: bool,
}

#[derive(Insertable)]
#[diesel(table_name = interview)]
struct NewHead<'a> {
    id: &'a str,
    state: &'a str,
    has_conflict: bool,
    current_rev: i32,
    current_seq: i64,
    changed_at_ms: i64,
}

#[derive(Insertable)]
#[diesel(table_name = receipt)]
struct ReceiptRow<'a> {
    server_seq: i64,
    short_code: &'a str,
    body: &'a str,
}

/// One body under an id and revision, kept before or now.
#[derive(Clone, Copy)]
struct Place<'a> {
    sha256: &'a str,
    conflict: bool,
    seat: Seat,
}

/// Where its receipt is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seat {
    /// In the table, under this `server_seq`.
    Old(i64),
    /// Among the new ones of this transaction, at this index.
    New(usize),
}

/// Who is told what: the seat of each arrival, and whether it is a replay.
struct Plan<'a> {
    seats: Vec<(Seat, bool, bool)>,
    new: Vec<(usize, RawRow<'a>)>,
}

/// Reads the arrivals in their order: whatever has the bytes of an earlier one is its replay, also within one batch.
fn plan<'a>(arrivals: &[(Arrival<'a>, &Author)], there: &'a [(i64, String, i32, String, bool)]) -> Plan<'a> {
    let mut places: BTreeMap<(&str, i32), Vec<Place<'_>>> = BTreeMap::new();
    for (server_seq, id, rev, sha256, conflict) in there {
        let place = Place { sha256, conflict: *conflict, seat: Seat::Old(*server_seq) };
        places.entry((id, *rev)).or_default().push(place);
    }
    let (mut seats, mut new) = (Vec::new(), Vec::new());
    for (index, (arrival, _)) in arrivals.iter().enumerate() {
        let Arrival { id, rev, sha256, body, content_type, received_at_ms, received_from, revoked } = *arrival;
        let under = places.entry((id, rev)).or_default();
        if let Some(place) = under.iter().find(|place| place.sha256 == sha256) {
            seats.push((place.seat, true, place.conflict));
            continue;
        }
        let (conflict, seat) = (!under.is_empty(), Seat::New(new.len()));
        under.push(Place { sha256, conflict, seat });
        seats.push((seat, false, conflict));
        let row = RawRow { id, rev, sha256, body, content_type, received_at_ms, received_from, conflict, revoked };
        new.push((index, row));
    }
    Plan { seats, new }
}

/// The statements that the backends spell differently: SQLite, in this process, is quickest with one prepared
/// statement again and again; PostgreSQL with one round trip for all rows, and it has locks on rows.
trait Bulk {
    fn hold_heads(&mut self, ids: &BTreeSet<&str>) -> QueryResult<()>;
    fn add_heads(&mut self, rows: &[NewHead<'_>]) -> QueryResult<()>;
    /// Each row's `server_seq`.
    fn add_bodies(&mut self, rows: &[&RawRow<'_>]) -> QueryResult<Vec<i64>>;
    fn add_receipts(&mut self, rows: &[ReceiptRow<'_>]) -> QueryResult<()>;
    /// Notes that these wait for a judgement.
    fn add_unjudged(&mut self, seqs: &[i64]) -> QueryResult<()>;
}

impl Bulk for SqliteConnection {
    fn hold_heads(&mut self, _: &BTreeSet<&str>) -> QueryResult<()> {
        Ok(()) // Whoever writes is alone.
    }

    fn add_heads(&mut self, rows: &[NewHead<'_>]) -> QueryResult<()> {
        for row in rows {
            diesel::insert_into(interview::table).values(row).on_conflict(interview::id).do_nothing().execute(self)?;
        }
        Ok(())
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
}

impl Bulk for PgConnection {
    fn hold_heads(&mut self, ids: &BTreeSet<&str>) -> QueryResult<()> {
        let ids: Vec<&str> = ids.iter().copied().collect();
        let held = interview::table.filter(interview::id.eq_any(ids)).order(interview::id);
        held.select(interview::id).for_update().execute(self).map(|_| ())
    }

    fn add_heads(&mut self, rows: &[NewHead<'_>]) -> QueryResult<()> {
        let insert = diesel::insert_into(interview::table).values(rows).on_conflict(interview::id);
        insert.do_nothing().execute(self).map(|_| ())
    }

    fn add_bodies(&mut self, rows: &[&RawRow<'_>]) -> QueryResult<Vec<i64>> {
        let insert = diesel::insert_into(submission_raw::table).values(rows.to_vec());
        // SQL promises no order of what an insert returns.
        let name = (submission_raw::id, submission_raw::rev, submission_raw::sha256);
        let made: Vec<(i64, (String, i32, String))> =
            insert.returning((submission_raw::server_seq, name)).get_results(self)?;
        let seqs: BTreeMap<(&str, i32, &str), i64> =
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
}

/// A connection that can keep and judge many at once; the one body below serves both backends.
trait Writes {
    fn write(
        &mut self,
        arrivals: &[(Arrival<'_>, &Author)],
        judgements: &[(i64, &Judgement)],
        signer: &Signer,
        now_ms: i64,
    ) -> Result<Together, StorageError>;
}

macro_rules! writes {
    ($connection:ty) => {
        impl Writes for $connection {
            fn write(
                &mut self,
                arrivals: &[(Arrival<'_>, &Author)],
                judgements: &[(i64, &Judgement)],
                signer: &Signer,
                now_ms: i64,
            ) -> Result<Together, StorageError> {
                hold(self, arrivals, judgements)?;
                let there = bodies_under(self, arrivals)?;
                let Plan { seats, new } = plan(arrivals, &there);
                let rows: Vec<&RawRow<'_>> = new.iter().map(|(_, row)| row).collect();
                let seqs = if rows.is_empty() { Vec::new() } else { self.add_bodies(&rows)? };
                mark_conflicts(self, &rows)?;
                // Nobody judges bytes in conflict before a person has chosen.
                let waiting: Vec<i64> =
                    rows.iter().zip(&seqs).filter(|(row, _)| !row.conflict).map(|(_, seq)| *seq).collect();
                if !waiting.is_empty() {
                    self.add_unjudged(&waiting)?;
                }
                let mut acts: Vec<Act> =
                    new.iter().zip(&seqs).map(|((at, row), seq)| kept(arrivals[*at].1, row, *seq)).collect();
                let judged = judge(self, judgements, now_ms, &mut acts)?;
                // After the log's turn only rows that nobody else can want: a receipt names its place in the log.
                let first = if acts.is_empty() { 0 } else { self.append(&acts)? };
                let made: Vec<Receipt> = (first..)
                    .zip(rows.iter().zip(&seqs))
                    .map(|(place, (row, seq))| signed(row, *seq, place, signer))
                    .collect();
                let written = give_receipts(self, &made)?;
                let old = receipts(self, &seats)?;
                let tell = |(seat, replay, conflict): (Seat, bool, bool)| -> Result<Kept, StorageError> {
                    let (server_seq, receipt) = match seat {
                        Seat::New(at) => (seqs[at], written[at].clone()),
                        Seat::Old(seq) => (seq, old.get(&seq).cloned().ok_or(diesel::result::Error::NotFound)?),
                    };
                    Ok(Kept { server_seq, receipt, replay, conflict })
                };
                let kept = seats.into_iter().map(tell).collect::<Result<_, _>>()?;
                return Ok(Together { kept, judged });

                /// Everybody who brings an id takes a turn at its head, so that the look after this sees what came before.
                fn hold(
                    c: &mut $connection,
                    arrivals: &[(Arrival<'_>, &Author)],
                    judgements: &[(i64, &Judgement)],
                ) -> Result<(), StorageError> {
                    let mut heads: BTreeMap<&str, NewHead<'_>> = BTreeMap::new();
                    for (Arrival { id, rev, received_at_ms, .. }, _) in arrivals {
                        let (state, current_rev, changed_at_ms) = ("received", *rev, *received_at_ms);
                        heads.entry(id).or_insert(NewHead {
                            id,
                            state,
                            has_conflict: false,
                            current_rev,
                            current_seq: 0,
                            changed_at_ms,
                        });
                    }
                    let judged: Vec<i64> = judgements.iter().map(|(server_seq, _)| *server_seq).collect();
                    let judged: Vec<String> = match judged.is_empty() {
                        true => Vec::new(),
                        false => submission_raw::table
                            .filter(submission_raw::server_seq.eq_any(judged))
                            .select(submission_raw::id)
                            .load(c)?,
                    };
                    let ids: BTreeSet<&str> = heads.keys().copied().chain(judged.iter().map(String::as_str)).collect();
                    let new: Vec<NewHead<'_>> = heads.into_values().collect();
                    if !new.is_empty() {
                        c.add_heads(&new)?;
                    }
                    Ok(c.hold_heads(&ids)?)
                }

                fn bodies_under(
                    c: &mut $connection,
                    arrivals: &[(Arrival<'_>, &Author)],
                ) -> QueryResult<Vec<(i64, String, i32, String, bool)>> {
                    let ids: BTreeSet<&str> = arrivals.iter().map(|(arrival, _)| arrival.id).collect();
                    if ids.is_empty() {
                        return Ok(Vec::new());
                    }
                    submission_raw::table
                        .filter(submission_raw::id.eq_any(ids))
                        .order(submission_raw::server_seq)
                        .select((
                            submission_raw::server_seq,
                            submission_raw::id,
                            submission_raw::rev,
                            submission_raw::sha256,
                            submission_raw::conflict,
                        ))
                        .load(c)
                }

                fn mark_conflicts(c: &mut $connection, rows: &[&RawRow<'_>]) -> QueryResult<()> {
                    for row in rows.iter().filter(|row| row.conflict) {
                        diesel::update(interview::table.find(row.id))
                            .set((interview::has_conflict.eq(true), interview::changed_at_ms.eq(row.received_at_ms)))
                            .execute(c)?;
                    }
                    Ok(())
                }

                /// In the order of their cases, and of one case the earlier body first; the answers in the order asked.
                fn judge(
                    c: &mut $connection,
                    judgements: &[(i64, &Judgement)],
                    now_ms: i64,
                    acts: &mut Vec<Act>,
                ) -> Result<Vec<InterviewState>, StorageError> {
                    let mut order: Vec<usize> = (0..judgements.len()).collect();
                    order.sort_by_key(|at| (case_of(judgements[*at].1), judgements[*at].0));
                    let mut states: BTreeMap<usize, InterviewState> = BTreeMap::new();
                    for at in order {
                        let (server_seq, judgement) = judgements[at];
                        let (state, act) = c.judge(server_seq, judgement, false, now_ms)?;
                        states.insert(at, state);
                        acts.push(act);
                    }
                    Ok(states.into_values().collect())
                }

                fn give_receipts(c: &mut $connection, made: &[Receipt]) -> QueryResult<Vec<String>> {
                    let bodies: Vec<String> = made.iter().map(Receipt::to_json).collect();
                    let row = |(made, body): (&'_ Receipt, &'_ String)| {
                        (made.server_seq, made.short_code.clone(), body.clone())
                    };
                    let rows: Vec<(i64, String, String)> = made.iter().zip(&bodies).map(row).collect();
                    let rows: Vec<ReceiptRow<'_>> = rows
                        .iter()
                        .map(|(server_seq, short_code, body)| ReceiptRow { server_seq: *server_seq, short_code, body })
                        .collect();
                    if !rows.is_empty() {
                        c.add_receipts(&rows)?;
                    }
                    Ok(bodies)
                }

                fn receipts(c: &mut $connection, seats: &[(Seat, bool, bool)]) -> QueryResult<BTreeMap<i64, String>> {
                    let old = |(seat, ..): &(Seat, bool, bool)| match seat {
                        Seat::Old(seq) => Some(*seq),
                        Seat::New(_) => None,
                    };
                    let old: BTreeSet<i64> = seats.iter().filter_map(old).collect();
                    if old.is_empty() {
                        return Ok(BTreeMap::new());
                    }
                    let found = receipt::table.filter(receipt::server_seq.eq_any(old));
                    let found: Vec<(i64, String)> = found.select((receipt::server_seq, receipt::body)).load(c)?;
                    Ok(found.into_iter().collect())
                }
            }
        }
    };
}

writes!(SqliteConnection);
writes!(PgConnection);

/// Survey and case of a judgement that counts for one.
fn case_of(judgement: &Judgement) -> Option<(&str, &str)> {
    match judgement {
        Judgement::Good { survey_id, case_id, .. } => Some((survey_id, case_id)),
        Judgement::Quarantine { .. } => None,
    }
}

fn kept(by: &Author, row: &RawRow<'_>, server_seq: i64) -> Act {
    let RawRow { id, rev, sha256, conflict, .. } = row;
    let detail = json!({ "sha256": sha256, "server_seq": server_seq, "conflict": conflict });
    Act::done(by, row.received_at_ms, "submission.keep", format!("submission/{id}/{rev}"), detail)
}

fn signed(row: &RawRow<'_>, server_seq: i64, log_index: i64, signer: &Signer) -> Receipt {
    let made = Receipt::new(row.id, row.rev, row.sha256, server_seq, row.received_at_ms, row.conflict);
    made.logged(log_index).signed(signer)
}

impl Database {
    /// Keeps arrivals with their entries in the audit log and their signed receipts, and writes judgements on earlier
    /// ones down, all in one transaction. When this returns they are on disk; bytes kept before, or twice among these,
    /// get the same receipt and no second entry.
    ///
    /// # Errors
    /// Whatever the database refused; then nothing of it happened and nothing may be acknowledged.
    pub fn write_together(
        &self,
        arrivals: &[(Arrival<'_>, &Author)],
        judgements: &[(i64, &Judgement)],
        signer: &Signer,
        now_ms: i64,
    ) -> Result<Together, StorageError> {
        writing!(self, c => { c.write(arrivals, judgements, signer, now_ms) })
    }

    /// Keeps one arrival; see [`Database::write_together`].
    ///
    /// # Errors
    /// Whatever the database refused; then nothing is kept and nothing may be acknowledged.
    pub fn keep_submission(&self, arrival: Arrival<'_>, by: &Author, signer: &Signer) -> Result<Kept, StorageError> {
        let together = self.write_together(&[(arrival, by)], &[], signer, arrival.received_at_ms)?;
        together.kept.into_iter().next().ok_or(StorageError::Query(diesel::result::Error::NotFound))
    }
}
