-- Who interviews which case. A case moved to somebody else gets a new row; the old one says when it ended and by whom.
CREATE TABLE assignment (
    id TEXT NOT NULL PRIMARY KEY,
    survey_id TEXT NOT NULL REFERENCES survey (id),
    case_id TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    priority INTEGER NOT NULL,
    reason TEXT NOT NULL,
    assigned_by TEXT NOT NULL,
    assigned_at_ms INTEGER NOT NULL,
    ended_by TEXT,
    ended_at_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX assignment_in_force ON assignment (survey_id, case_id) WHERE ended_at_ms IS NULL;
CREATE INDEX assignment_by_person ON assignment (person_id, survey_id, case_id) WHERE ended_at_ms IS NULL;
CREATE INDEX assignment_by_case ON assignment (survey_id, case_id, person_id);

-- The order in which a case is shown and the number that selects in its household, fixed once for the case.
CREATE TABLE case_draw (
    survey_id TEXT NOT NULL REFERENCES survey (id),
    case_id TEXT NOT NULL,
    questionnaire_hash TEXT NOT NULL REFERENCES questionnaire (hash),
    seed TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('uniform', 'kish')),
    u_numerator INTEGER NOT NULL CHECK (u_numerator BETWEEN 0 AND 9007199254740991),
    drawn_at_ms INTEGER NOT NULL,
    PRIMARY KEY (survey_id, case_id)
) STRICT;
CREATE TRIGGER case_draw_is_immutable BEFORE UPDATE ON case_draw
BEGIN SELECT RAISE(ABORT, 'a draw never changes'); END;
CREATE TRIGGER case_draw_is_kept BEFORE DELETE ON case_draw
BEGIN SELECT RAISE(ABORT, 'a draw is never removed'); END;

-- Whose tablet must look at which case again, in the order of the audit log, which is the order of the commits.
CREATE TABLE field_change (
    log_seq INTEGER NOT NULL,
    person_id TEXT NOT NULL,
    survey_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    PRIMARY KEY (person_id, log_seq)
) STRICT;
