-- Who interviews which case. A case moved to somebody else gets a new row; the old one says when it ended and by whom.
CREATE TABLE assignment (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    survey_id TEXT COLLATE "C" NOT NULL REFERENCES survey (id),
    case_id TEXT COLLATE "C" NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL REFERENCES person (id),
    priority INTEGER NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    assigned_by TEXT COLLATE "C" NOT NULL,
    assigned_at_ms BIGINT NOT NULL,
    ended_by TEXT COLLATE "C",
    ended_at_ms BIGINT
);
CREATE UNIQUE INDEX assignment_in_force ON assignment (survey_id, case_id) WHERE ended_at_ms IS NULL;
CREATE INDEX assignment_by_person ON assignment (person_id, survey_id, case_id) WHERE ended_at_ms IS NULL;
CREATE INDEX assignment_by_case ON assignment (survey_id, case_id, person_id);

-- The order in which a case is shown and the number that selects in its household, fixed once for the case.
CREATE TABLE case_draw (
    survey_id TEXT COLLATE "C" NOT NULL REFERENCES survey (id),
    case_id TEXT COLLATE "C" NOT NULL,
    questionnaire_hash TEXT COLLATE "C" NOT NULL REFERENCES questionnaire (hash),
    seed TEXT COLLATE "C" NOT NULL,
    algorithm TEXT COLLATE "C" NOT NULL,
    method TEXT COLLATE "C" NOT NULL CHECK (method IN ('uniform', 'kish')),
    u_numerator BIGINT NOT NULL CHECK (u_numerator BETWEEN 0 AND 9007199254740991),
    drawn_at_ms BIGINT NOT NULL,
    PRIMARY KEY (survey_id, case_id)
);
CREATE TRIGGER case_draw_is_immutable BEFORE UPDATE OR DELETE ON case_draw
FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Whose tablet must look at which case again, in the order of the audit log, which is the order of the commits.
CREATE TABLE field_change (
    log_seq BIGINT NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL,
    survey_id TEXT COLLATE "C" NOT NULL,
    case_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (person_id, log_seq)
);
