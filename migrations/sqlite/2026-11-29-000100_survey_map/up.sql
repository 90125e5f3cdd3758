-- The outlines of a survey's districts, each time as they were put: checked, in one form, with source and 审图号 inside.
CREATE TABLE survey_map (
    survey_id TEXT NOT NULL REFERENCES survey (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    sha256 TEXT NOT NULL,
    content BLOB NOT NULL,
    received_at_ms INTEGER NOT NULL,
    received_from TEXT NOT NULL,
    PRIMARY KEY (survey_id, version)
) STRICT;

CREATE TRIGGER survey_map_is_immutable BEFORE UPDATE ON survey_map
BEGIN SELECT RAISE(ABORT, 'a map never changes'); END;
