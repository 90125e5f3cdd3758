//! The second judgement: the server holds kept bytes against the questionnaire, the calendar and the sample, whatever the
//! tablet said of them.

use std::{
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use jiff::tz::{Offset, TimeZone};

use super::{Clock, Fault, Instruments, Refusal, Text, disk, instruments};
use crate::{
    instrument::{Precommitted, Questionnaire, SelectionMethod, Submission},
    storage::{
        CaseDraw, Database, InterviewState, Judgement, Quarantined, StoredBody, WAITING_FOR_MASTER_DATA, Waiting,
    },
};

/// Bytes judged in one step of a sweep.
const SWEEP_ROWS: i64 = 200;

/// What the assessment of bytes came to: a judgement that they are good, or why not.
pub(super) type Assessment = Result<Judgement, (&'static str, Vec<Fault>)>;

/// Judges everything that was kept but not judged, because the server stopped or the database went away between the two
/// steps; how many there were.
///
/// # Errors
/// Whatever the database refused; the rest stays for the next start.
pub fn judge_waiting(database: &Database, instruments: &Instruments, clock: &Clock) -> Result<usize, Refusal> {
    sweep(database, instruments, clock, |after| Ok(database.unjudged_submissions(after, SWEEP_ROWS)?))
}

/// Judges again what waits for a questionnaire or a sample; how many there were.
///
/// # Errors
/// Whatever the database refused; the rest stays in quarantine.
pub fn judge_again(database: &Database, instruments: &Instruments, clock: &Clock) -> Result<usize, Refusal> {
    let reasons = &WAITING_FOR_MASTER_DATA;
    sweep(database, instruments, clock, |after| Ok(database.quarantined_submissions(reasons, after, SWEEP_ROWS)?))
}

/// Judges again what is due by its schedule; how many there were.
///
/// # Errors
/// Whatever the database refused; the rest stays due.
pub fn judge_due(database: &Database, instruments: &Instruments, clock: &Clock) -> Result<usize, Refusal> {
    let now_ms = clock.now_ms();
    sweep(database, instruments, clock, |after| Ok(database.due_submissions(now_ms, after, SWEEP_ROWS)?))
}

/// Bytes kept this long ago have no request any more that would judge them.
const LEFT_AFTER_MS: i64 = 60_000;

/// Judges what a request kept and could not judge; how many there were.
///
/// # Errors
/// Whatever the database refused; the rest is looked at again soon.
fn judge_left(database: &Database, instruments: &Instruments, clock: &Clock) -> Result<usize, Refusal> {
    let before_ms = clock.now_ms() - LEFT_AFTER_MS;
    sweep(database, instruments, clock, |after| {
        let mut rows = database.unjudged_submissions(after, SWEEP_ROWS)?;
        rows.retain(|row| row.received_at_ms < before_ms);
        Ok(rows)
    })
}

/// How often the schedule is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// The thread that judges again what is due.
#[derive(Debug)]
pub(super) struct Rejudging {
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Rejudging {
    /// Looks at the schedule until it is stopped. Without a thread nothing is lost: master data that arrive still judge
    /// again what waits for them.
    pub(super) fn start(database: Database, instruments: Instruments, clock: Clock) -> Self {
        let (stop, stopped) = channel();
        let look = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK_EVERY) {
                let left = judge_left(&database, &instruments, &clock);
                if let Err(error) = left.and_then(|_| judge_due(&database, &instruments, &clock)) {
                    if let Refusal::Storage(error) = &error {
                        disk::end_if_failed(error);
                    }
                    tracing::warn!(%error, "what is due could not be judged again");
                }
            }
        };
        let thread = thread::Builder::new().name("rejudging".to_owned()).spawn(look);
        Self { stop, thread: thread.inspect_err(|error| tracing::error!(%error, "no thread for the schedule")).ok() }
    }

    /// Ends the thread after what it is doing.
    pub(super) fn stop(self) {
        drop(self.stop);
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
    }
}

fn sweep(
    database: &Database,
    instruments: &Instruments,
    clock: &Clock,
    next: impl Fn(i64) -> Result<Vec<Waiting>, Refusal>,
) -> Result<usize, Refusal> {
    let (mut judged, mut after) = (0, 0);
    loop {
        let rows = next(after)?;
        let Some(last) = rows.last() else { return Ok(judged) };
        after = last.server_seq;
        for waiting in &rows {
            judge(database, instruments, waiting, clock)?;
            judged += 1;
        }
    }
}

/// Judges bytes and writes the judgement down.
fn judge(database: &Database, instruments: &Instruments, waiting: &Waiting, clock: &Clock) -> Result<(), Refusal> {
    let (judgement, _) = verdict(database, instruments, waiting)?;
    database.judge_submission(waiting.server_seq, &judgement, clock.now_ms())?;
    Ok(())
}

/// The judgement on bytes as it is to be written down, with the faults found.
pub(super) fn verdict(
    database: &Database,
    instruments: &Instruments,
    waiting: &Waiting,
) -> Result<(Judgement, Vec<Fault>), Refusal> {
    let (reason, faults) = match assess(database, instruments, waiting)? {
        Ok(good) => return Ok((good, Vec::new())),
        Err(found) => found,
    };
    let detail = serde_json::to_string(&faults)
        .map_err(|error| Refusal::Stored { what: "quarantine", message: error.to_string() })?;
    Ok((Judgement::Quarantine { reason: reason.to_owned(), detail }, faults))
}

/// What the sender is told beside the state: the faults found, or why good bytes do not count.
pub(super) fn notices(
    database: &Database,
    (id, server_seq): (&str, i64),
    state: InterviewState,
    faults: Vec<Fault>,
) -> Result<Vec<Fault>, Refusal> {
    match state {
        InterviewState::Surplus => Ok(vec![reason_fault("case-already-complete")]),
        InterviewState::Quarantined if faults.is_empty() => {
            let rows = database.quarantine_of(id)?;
            Ok(rows.iter().find(|row| row.server_seq == server_seq).map(notices_of).unwrap_or_default())
        }
        _ => Ok(faults),
    }
}

/// The faults of waiting bytes: those found, or the reason itself.
pub fn notices_of(row: &Quarantined) -> Vec<Fault> {
    let found: Vec<Fault> = serde_json::from_str(&row.detail).unwrap_or_default();
    if found.is_empty() { vec![reason_fault(&row.reason)] } else { found }
}

/// A reason that no place in the bytes explains.
fn reason_fault(reason: &str) -> Fault {
    let (zh, en) = match reason {
        "case-already-complete" => {
            ("该样本已有完成问卷，本份列为多余样本待核", "the case has an interview already; this one is surplus")
        }
        "late-or-revoked" => (
            "调查已关闭或账号、设备已停用，已保存，待督导员接收",
            "it came after the survey closed or from a revoked source; a supervisor may accept it",
        ),
        "revision-after-approval" => (
            "该问卷已通过审核，新版本已保存，待督导员接收",
            "the interview is approved; a supervisor may accept the new revision",
        ),
        "not-assigned" => (
            "该样本分配给了其他调查员，已保存，待督导员接收",
            "the case was assigned to somebody else; a supervisor may accept it",
        ),
        "interview-void" => ("该问卷已作废", "the interview is void"),
        _ => ("已保存，待人工处理", "kept; a person has to look at it"),
    };
    Fault::new(reason, Text::new(zh, en))
}

/// What a stored body would be judged to be, were it judged now.
pub(super) fn assess_body(
    database: &Database,
    instruments: &Instruments,
    body: &StoredBody,
) -> Result<Assessment, Refusal> {
    let StoredBody { server_seq, id, rev, body, received_at_ms, .. } = body.clone();
    assess(database, instruments, &Waiting { server_seq, id, rev, body, received_at_ms })
}

fn one<T>(code: &'static str, pointer: &str, zh: &str, en: &str) -> Result<T, (&'static str, Vec<Fault>)> {
    Err((code, vec![Fault::new(code, Text::new(zh, en)).at(pointer)]))
}

/// The judgement itself: is it well formed, does it name itself rightly, is its questionnaire known and was it valid on
/// the day, does it fit the questionnaire, is its case in exactly one sample?
fn assess(database: &Database, instruments: &Instruments, waiting: &Waiting) -> Result<Assessment, Refusal> {
    let submission = match instruments::parse(&waiting.body) {
        Ok(submission) => submission,
        Err(faults) => return Ok(Err(("malformed", faults))),
    };
    if let Err(misnamed) = named_rightly(&submission, waiting) {
        return Ok(Err(misnamed));
    }
    let Some(questionnaire) = instruments.get(database, &submission.instrument)? else {
        let (zh, en) = ("问卷版本不存在或未下发", "no published questionnaire has this hash");
        return Ok(one("unknown-instrument", "/instrument", zh, en));
    };
    let answers = match instruments::accept(&questionnaire, &submission, &waiting.body) {
        Ok(answers) => answers,
        Err(faults) => return Ok(Err(("rule-violations", faults))),
    };
    if is_expired(&questionnaire, &submission, waiting) {
        let (zh, en) = ("访问开始时问卷已过有效期", "the questionnaire was no longer valid when the interview began");
        return Ok(one("questionnaire-expired", "/instrument", zh, en));
    }
    let surveys = database.surveys_with_case(&submission.instrument, &submission.case)?;
    let (survey_id, draw) = match surveys.as_slice() {
        [only] => only.clone(),
        [] => {
            let (zh, en) = ("没有使用本问卷的调查包含此样本", "no survey with this questionnaire has this case");
            return Ok(one("unknown-case", "/case", zh, en));
        }
        _ => return Ok(one("ambiguous-case", "/case", "多个调查包含此样本", "several surveys have this case")),
    };
    if let Some(draw) = draw
        && let Err(rolled) = selected_as_drawn(&submission, &draw)
    {
        return Ok(Err(rolled));
    }
    let Submission { case: case_id, instrument: questionnaire_hash, .. } = submission;
    Ok(Ok(Judgement::Good { survey_id, case_id, questionnaire_hash, answers }))
}

fn named_rightly(submission: &Submission, waiting: &Waiting) -> Result<(), (&'static str, Vec<Fault>)> {
    if submission.id.to_string() != waiting.id {
        return one("id-mismatch", "/id", "内容中的编号与地址不一致", "the id is not the one in the address");
    }
    if i64::from(submission.rev) != i64::from(waiting.rev) {
        return one("rev-mismatch", "/rev", "内容中的版本与地址不一致", "the revision is not the one in the address");
    }
    Ok(())
}

/// Whether the person is the one that the number fixed with the assignment selects.
fn selected_as_drawn(submission: &Submission, draw: &CaseDraw) -> Result<(), (&'static str, Vec<Fault>)> {
    const CODE: &str = "selection-not-drawn";
    let Some(selection) = &submission.selection else {
        return one(CODE, "/selection", "缺少户内抽取记录", "there is no record of the selection");
    };
    if selection.method != draw.method {
        return one(CODE, "/selection/method", "抽取方法与下发的不一致", "the method is not the one assigned");
    }
    let u = u64::try_from(draw.u_numerator).ok().and_then(Precommitted::new);
    let drawn = u.zip(SelectionMethod::named(&draw.method)).and_then(|(u, how)| u.selects(how, selection.n_eligible));
    if drawn != Some(selection.selected_no) {
        let (zh, en) = ("被选者不是预先确定的随机数所抽中的人", "the number fixed beforehand selects another person");
        return one(CODE, "/selection/selected_no", zh, en);
    }
    Ok(())
}

/// Whether the interview began after the questionnaire's last day, by the calendar of China. One that says nothing of its
/// beginning began when it arrived: an open interview may finish, and what cannot show that it was open may not.
fn is_expired(questionnaire: &Questionnaire, submission: &Submission, waiting: &Waiting) -> bool {
    let began = submission.timing.and_then(|timing| timing.started_ms).unwrap_or(waiting.received_at_ms);
    let began = began.min(waiting.received_at_ms);
    let Ok(began) = jiff::Timestamp::from_millisecond(began) else { return true };
    let day = began.to_zoned(TimeZone::fixed(Offset::constant(8))).date();
    day > questionnaire.valid_until()
}
