DROP TABLE inbox_message;
DROP TABLE review_action;
DROP TABLE survey_closing;
DROP INDEX quarantine_due;
ALTER TABLE quarantine DROP COLUMN next_try_ms;
ALTER TABLE quarantine DROP COLUMN tries;
CREATE TABLE canonical_kept (survey_id TEXT NOT NULL, case_id TEXT NOT NULL, interview_id TEXT NOT NULL) STRICT;
INSERT INTO canonical_kept SELECT survey_id, case_id, interview_id FROM canonical_interview;
DROP TABLE canonical_interview;
CREATE TABLE interview_before (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('received', 'parsed', 'quarantined', 'surplus')),
    has_conflict INTEGER NOT NULL CHECK (has_conflict IN (0, 1)),
    current_rev INTEGER NOT NULL,
    current_seq INTEGER NOT NULL,
    survey_id TEXT REFERENCES survey (id),
    case_id TEXT,
    questionnaire_hash TEXT,
    answers TEXT,
    changed_at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO interview_before
SELECT id, CASE WHEN state IN ('received', 'quarantined', 'surplus') THEN state WHEN state = 'void' THEN 'surplus' ELSE 'parsed' END,
    has_conflict, current_rev, current_seq, survey_id, case_id, questionnaire_hash, answers, changed_at_ms
FROM interview;
DROP TABLE interview;
ALTER TABLE interview_before RENAME TO interview;
CREATE INDEX interview_by_survey ON interview (survey_id, id);
CREATE TABLE canonical_interview (
    survey_id TEXT NOT NULL REFERENCES survey (id),
    case_id TEXT NOT NULL,
    interview_id TEXT NOT NULL UNIQUE REFERENCES interview (id),
    PRIMARY KEY (survey_id, case_id)
) STRICT;
INSERT INTO canonical_interview SELECT survey_id, case_id, interview_id FROM canonical_kept;
DROP TABLE canonical_kept;
