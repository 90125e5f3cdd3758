-- The place of a reserve among those of its primary sampling unit; an original case has none.
ALTER TABLE sample_case ADD COLUMN reserve_rank INTEGER CHECK (reserve_rank >= 1);

-- Every request for a reserve in the place of a case: the reserve that was released, or none because it was refused.
CREATE TABLE substitution (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    survey_id TEXT COLLATE "C" NOT NULL REFERENCES survey (id),
    original_case TEXT COLLATE "C" NOT NULL,
    reserve_case TEXT COLLATE "C",
    days INTEGER NOT NULL CHECK (days >= 0),
    reason TEXT COLLATE "C",
    requested_by TEXT COLLATE "C" NOT NULL,
    requested_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX substitution_of_case ON substitution (survey_id, original_case) WHERE reserve_case IS NOT NULL;
CREATE UNIQUE INDEX substitution_by_reserve ON substitution (survey_id, reserve_case) WHERE reserve_case IS NOT NULL;
CREATE TRIGGER substitution_is_immutable BEFORE UPDATE OR DELETE ON substitution
FOR EACH ROW EXECUTE FUNCTION refuse_change();
