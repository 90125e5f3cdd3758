-- Review: more states, who reviewed what and why, voids by two persons, work sent back, quarantine with a schedule.
-- SQLite cannot change a CHECK: the table is made again. Nothing refers to it meanwhile.
CREATE TABLE canonical_kept (
    survey_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    interview_id TEXT NOT NULL
) STRICT;
INSERT INTO canonical_kept SELECT survey_id, case_id, interview_id FROM canonical_interview;
DROP TABLE canonical_interview;

CREATE TABLE interview_reviewed (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('received', 'parsed', 'quarantined', 'surplus', 'under_review', 'returned',
        'approved_l1', 'approved_l2', 'locked', 'void')),
    has_conflict INTEGER NOT NULL CHECK (has_conflict IN (0, 1)),
    current_rev INTEGER NOT NULL,
    current_seq INTEGER NOT NULL,
    survey_id TEXT REFERENCES survey (id),
    case_id TEXT,
    questionnaire_hash TEXT,
    answers TEXT,
    changed_at_ms INTEGER NOT NULL,
    district TEXT,
    surveyor TEXT,
    l1_by TEXT,
    void_by TEXT
) STRICT;
INSERT INTO interview_reviewed (id, state, has_conflict, current_rev, current_seq, survey_id, case_id, questionnaire_hash, answers,
    changed_at_ms, district, surveyor)
SELECT i.id, i.state, i.has_conflict, i.current_rev, i.current_seq, i.survey_id, i.case_id, i.questionnaire_hash, i.answers,
    i.changed_at_ms,
    (SELECT s.district FROM sample_case s WHERE s.survey_id = i.survey_id AND s.case_id = i.case_id),
    (SELECT r.received_from FROM submission_raw r WHERE r.server_seq = i.current_seq)
FROM interview i;
DROP TABLE interview;
ALTER TABLE interview_reviewed RENAME TO interview;
CREATE INDEX interview_by_survey ON interview (survey_id, id);
CREATE INDEX interview_by_state ON interview (survey_id, state, id);

CREATE TABLE canonical_interview (
    survey_id TEXT NOT NULL REFERENCES survey (id),
    case_id TEXT NOT NULL,
    interview_id TEXT NOT NULL UNIQUE REFERENCES interview (id),
    PRIMARY KEY (survey_id, case_id)
) STRICT;
INSERT INTO canonical_interview SELECT survey_id, case_id, interview_id FROM canonical_kept;
DROP TABLE canonical_kept;

ALTER TABLE quarantine ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE quarantine ADD COLUMN next_try_ms INTEGER;
CREATE INDEX quarantine_due ON quarantine (next_try_ms) WHERE state = 'open';

-- A closed survey: what came after this place in the order of arrival came too late.
CREATE TABLE survey_closing (
    survey_id TEXT NOT NULL PRIMARY KEY REFERENCES survey (id),
    after_seq INTEGER NOT NULL,
    closed_at_ms INTEGER NOT NULL
) STRICT;

-- Append-only: each step of a review with who, when and why.
CREATE TABLE review_action (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    interview_id TEXT NOT NULL,
    rev INTEGER NOT NULL,
    action TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    by_id TEXT NOT NULL,
    by_role TEXT NOT NULL,
    reason_code TEXT,
    comment TEXT,
    item_comments TEXT,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX review_action_by_interview ON review_action (interview_id, seq);
CREATE TRIGGER review_action_is_immutable BEFORE UPDATE ON review_action
BEGIN SELECT RAISE(ABORT, 'a step of a review never changes'); END;
CREATE TRIGGER review_action_is_kept BEFORE DELETE ON review_action
BEGIN SELECT RAISE(ABORT, 'a step of a review is never removed'); END;

-- What a surveyor is told: work that came back, with the comments on its items.
CREATE TABLE inbox_message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    recipient TEXT NOT NULL,
    interview_id TEXT NOT NULL,
    rev INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('returned')),
    payload TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    read_at_ms INTEGER
) STRICT;
CREATE INDEX inbox_message_by_recipient ON inbox_message (recipient, seq);
