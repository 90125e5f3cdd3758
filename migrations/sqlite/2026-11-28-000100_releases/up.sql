-- What everybody may read of a run: made by a rule set, asked for by one person and confirmed by another. The cells behind it
-- stay here, so that later releases can be held against what is public already.
CREATE TABLE disclosure_release (
    run_id TEXT NOT NULL PRIMARY KEY REFERENCES run (id),
    survey_id TEXT NOT NULL REFERENCES survey (id),
    rules TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    results BLOB NOT NULL,
    indicator BLOB NOT NULL,
    indicator_sha256 TEXT NOT NULL,
    cells BLOB NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at_ms INTEGER NOT NULL,
    confirmed_by TEXT,
    confirmed_at_ms INTEGER,
    CHECK ((confirmed_by IS NULL) = (confirmed_at_ms IS NULL)),
    CHECK (confirmed_by IS NULL OR confirmed_by <> requested_by)
) STRICT;
CREATE INDEX disclosure_release_of_survey ON disclosure_release (survey_id, run_id);

CREATE TRIGGER disclosure_release_is_immutable BEFORE UPDATE ON disclosure_release WHEN OLD.confirmed_at_ms IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what is public never changes'); END;
CREATE TRIGGER disclosure_release_is_kept BEFORE DELETE ON disclosure_release WHEN OLD.confirmed_at_ms IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what is public is never removed'); END;
