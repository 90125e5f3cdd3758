-- What everybody may read of a run: made by a rule set, asked for by one person and confirmed by another. The cells behind it
-- stay here, so that later releases can be held against what is public already.
CREATE TABLE disclosure_release (
    run_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES run (id),
    survey_id TEXT COLLATE "C" NOT NULL REFERENCES survey (id),
    rules TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    results BYTEA NOT NULL,
    indicator BYTEA NOT NULL,
    indicator_sha256 TEXT COLLATE "C" NOT NULL,
    cells BYTEA NOT NULL,
    requested_by TEXT COLLATE "C" NOT NULL,
    requested_at_ms BIGINT NOT NULL,
    confirmed_by TEXT COLLATE "C",
    confirmed_at_ms BIGINT,
    CHECK ((confirmed_by IS NULL) = (confirmed_at_ms IS NULL)),
    CHECK (confirmed_by IS NULL OR confirmed_by <> requested_by)
);
CREATE INDEX disclosure_release_of_survey ON disclosure_release (survey_id, run_id);

CREATE TRIGGER disclosure_release_is_immutable BEFORE UPDATE ON disclosure_release
FOR EACH ROW WHEN (OLD.confirmed_at_ms IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER disclosure_release_is_kept BEFORE DELETE ON disclosure_release
FOR EACH ROW WHEN (OLD.confirmed_at_ms IS NOT NULL) EXECUTE FUNCTION refuse_change();
