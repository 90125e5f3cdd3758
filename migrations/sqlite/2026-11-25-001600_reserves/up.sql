-- The place of a reserve among those of its primary sampling unit; an original case has none.
ALTER TABLE sample_case ADD COLUMN reserve_rank INTEGER CHECK (reserve_rank >= 1);

-- Every request for a reserve in the place of a case: the reserve that was released, or none because it was refused.
CREATE TABLE substitution (
    id TEXT NOT NULL PRIMARY KEY,
    survey_id TEXT NOT NULL REFERENCES survey (id),
    original_case TEXT NOT NULL,
    reserve_case TEXT,
    days INTEGER NOT NULL CHECK (days >= 0),
    reason TEXT,
    requested_by TEXT NOT NULL,
    requested_at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX substitution_of_case ON substitution (survey_id, original_case) WHERE reserve_case IS NOT NULL;
CREATE UNIQUE INDEX substitution_by_reserve ON substitution (survey_id, reserve_case) WHERE reserve_case IS NOT NULL;
CREATE TRIGGER substitution_is_immutable BEFORE UPDATE ON substitution
BEGIN SELECT RAISE(ABORT, 'a substitution never changes'); END;
CREATE TRIGGER substitution_is_kept BEFORE DELETE ON substitution
BEGIN SELECT RAISE(ABORT, 'a substitution is never removed'); END;
