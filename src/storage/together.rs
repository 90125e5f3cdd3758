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
    bulk::{Bulk, FirstHead, NewHead, RawRow, ReceiptRow},
    firsts::{self, Asked},
    judgements::{Judges, judged as judged_act},
    schema::*,
};
use crate::evidence::{Receipt, Signer};

/// Bytes to be kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeping<'a> {
    /// The bytes.
    pub arrival: Arrival<'a>,
    /// From whom.
    pub by: &'a Author,
    /// What they were judged to be, where that is known already: it is written down with them. Bytes that were kept
    /// before, or that conflict with others, are not judged.
    pub judgement: Option<&'a Judgement>,
}

/// What one transaction came to, in the order it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Together {
    /// How the arrivals are kept.
    pub kept: Vec<Kept>,
    /// Where each arrival stands that was judged with its keeping.
    pub states: Vec<Option<InterviewState>>,
    /// Where the judged submissions stand.
    pub judged: Vec<InterviewState>,
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
fn plan<'a>(arrivals: &[Keeping<'a>], there: &'a [(i64, String, i32, String, bool)]) -> Plan<'a> {
    let mut places: BTreeMap<(&str, i32), Vec<Place<'_>>> = BTreeMap::new();
    for (server_seq, id, rev, sha256, conflict) in there {
        let place = Place { sha256, conflict: *conflict, seat: Seat::Old(*server_seq) };
        places.entry((id, *rev)).or_default().push(place);
    }
    let (mut seats, mut new) = (Vec::new(), Vec::new());
    for (index, Keeping { arrival, .. }) in arrivals.iter().enumerate() {
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

/// The heads that the arrivals would begin, in the order of their ids.
fn new_heads<'a>(arrivals: &[Keeping<'a>]) -> BTreeMap<&'a str, NewHead<'a>> {
    let mut heads = BTreeMap::new();
    for Keeping { arrival: Arrival { id, rev, received_at_ms, .. }, .. } in arrivals {
        heads.entry(*id).or_insert(NewHead {
            id,
            state: "received",
            has_conflict: false,
            current_rev: *rev,
            current_seq: 0,
            changed_at_ms: *received_at_ms,
        });
    }
    heads
}

/// What is to be judged: the new bodies that come with a judgement, then the earlier ones.
fn asked<'a>(
    arrivals: &[Keeping<'a>],
    (new, seqs): (&'a [(usize, RawRow<'a>)], &[i64]),
    judgements: &[(i64, &'a Judgement)],
) -> Vec<Asked<'a>> {
    let with_body = new.iter().zip(seqs).filter(|((_, row), _)| !row.conflict).filter_map(|((at, row), seq)| {
        arrivals[*at].judgement.map(|judgement| Asked { server_seq: *seq, judgement, body: Some(row) })
    });
    let earlier = judgements.iter().map(|(server_seq, judgement)| {
        let (server_seq, judgement) = (*server_seq, *judgement);
        Asked { server_seq, judgement, body: None }
    });
    with_body.chain(earlier).collect()
}

/// A connection that can keep and judge many at once; the one body below serves both backends.
trait Writes {
    fn write(
        &mut self,
        arrivals: &[Keeping<'_>],
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
                arrivals: &[Keeping<'_>],
                judgements: &[(i64, &Judgement)],
                signer: &Signer,
                now_ms: i64,
            ) -> Result<Together, StorageError> {
                let heads = new_heads(arrivals);
                let mut fresh = hold(self, &heads, judgements)?;
                let there = bodies_under(self, heads.keys().copied().filter(|id| !fresh.contains(*id)).collect())?;
                let Plan { seats, new } = plan(arrivals, &there);
                let rows: Vec<&RawRow<'_>> = new.iter().map(|(_, row)| row).collect();
                let seqs = if rows.is_empty() { Vec::new() } else { self.add_bodies(&rows)? };
                let begun: Vec<&NewHead<'_>> = heads.values().filter(|head| fresh.contains(head.id)).collect();
                for row in rows.iter().filter(|row| row.conflict) {
                    fresh.remove(row.id);
                }
                let asked = asked(arrivals, (&new, &seqs), judgements);
                let mut firsts = firsts::heads(self, &asked, &fresh, now_ms)?;
                let settled: BTreeMap<&str, i64> = firsts.iter().map(|head| (head.id, head.current_seq)).collect();
                let plain: Vec<&NewHead<'_>> =
                    begun.into_iter().filter(|head| !settled.contains_key(head.id)).collect();
                self.add_heads(&plain)?;
                mark_conflicts(self, &rows)?;
                // Nobody judges bytes in conflict before a person has chosen.
                let waits = |row: &RawRow<'_>, seq: i64| !row.conflict && settled.get(row.id) != Some(&seq);
                let waiting: Vec<i64> =
                    rows.iter().zip(&seqs).filter(|(row, seq)| waits(row, **seq)).map(|(_, seq)| *seq).collect();
                if !waiting.is_empty() {
                    self.add_unjudged(&waiting)?;
                }
                if !firsts.is_empty() {
                    firsts.sort_by_key(|head| (head.survey_id, head.case_id, head.current_seq));
                    self.settle_heads(&mut firsts)?;
                }
                let mut acts: Vec<Act> =
                    new.iter().zip(&seqs).map(|((at, row), seq)| kept(arrivals[*at].by, row, *seq)).collect();
                let settled: BTreeMap<i64, &FirstHead<'_>> =
                    firsts.iter().map(|head| (head.current_seq, head)).collect();
                let states = judge(self, &asked, &settled, now_ms, &mut acts)?;
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
                let kept: Vec<Kept> = seats.into_iter().map(tell).collect::<Result<_, _>>()?;
                let state = |kept: &Kept| states.get(&kept.server_seq).copied().filter(|_| !kept.replay);
                let judged = judgements.iter().filter_map(|(seq, _)| states.get(seq).copied()).collect();
                return Ok(Together { states: kept.iter().map(state).collect(), kept, judged });

                /// Everybody who brings an id takes a turn at its head, so that the look after this sees what came
                /// before; the ids that had no head.
                fn hold(
                    c: &mut $connection,
                    heads: &BTreeMap<&str, NewHead<'_>>,
                    judgements: &[(i64, &Judgement)],
                ) -> Result<BTreeSet<String>, StorageError> {
                    let judged: Vec<i64> = judgements.iter().map(|(server_seq, _)| *server_seq).collect();
                    let judged: Vec<String> = match judged.is_empty() {
                        true => Vec::new(),
                        false => submission_raw::table
                            .filter(submission_raw::server_seq.eq_any(judged))
                            .select(submission_raw::id)
                            .load(c)?,
                    };
                    let begin: Vec<&NewHead<'_>> = heads.values().collect();
                    let fresh = if begin.is_empty() { BTreeSet::new() } else { c.begin_heads(&begin)? };
                    let ids = heads.keys().copied().chain(judged.iter().map(String::as_str));
                    c.hold_heads(&ids.filter(|id| !fresh.contains(*id)).collect())?;
                    Ok(fresh)
                }

                fn bodies_under(
                    c: &mut $connection,
                    ids: BTreeSet<&str>,
                ) -> QueryResult<Vec<(i64, String, i32, String, bool)>> {
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

                /// In the order of their cases, and of one case the earlier body first; where each stands.
                fn judge(
                    c: &mut $connection,
                    asked: &[Asked<'_>],
                    settled: &BTreeMap<i64, &FirstHead<'_>>,
                    now_ms: i64,
                    acts: &mut Vec<Act>,
                ) -> Result<BTreeMap<i64, InterviewState>, StorageError> {
                    let mut order: Vec<&Asked<'_>> = asked.iter().collect();
                    order.sort_by_key(|asked| (asked.case(), asked.server_seq));
                    let mut states: BTreeMap<i64, InterviewState> = BTreeMap::new();
                    for Asked { server_seq, judgement, .. } in order {
                        let (state, act) = match settled.get(server_seq) {
                            Some(head) => {
                                let state = head.state();
                                (state, judged_act((head.id, head.current_rev, *server_seq), state, None, now_ms))
                            }
                            None => c.judge(*server_seq, judgement, false, now_ms)?,
                        };
                        states.insert(*server_seq, state);
                        acts.push(act);
                    }
                    Ok(states)
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
    /// Keeps arrivals with their entries in the audit log and their signed receipts, and writes judgements on them and on
    /// earlier ones down, all in one transaction. When this returns they are on disk; bytes kept before, or twice among these,
    /// get the same receipt and no second entry.
    ///
    /// # Errors
    /// Whatever the database refused; then nothing of it happened and nothing may be acknowledged.
    pub fn write_together(
        &self,
        arrivals: &[Keeping<'_>],
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
        let together =
            self.write_together(&[Keeping { arrival, by, judgement: None }], &[], signer, arrival.received_at_ms)?;
        together.kept.into_iter().next().ok_or(StorageError::Query(diesel::result::Error::NotFound))
    }
}
