-- Large contents in pieces of one size, by the digest of the whole, so that nobody has to hold one in memory.
CREATE TABLE content_piece (
    sha256 TEXT NOT NULL,
    piece INTEGER NOT NULL CHECK (piece >= 0),
    content BLOB NOT NULL,
    PRIMARY KEY (sha256, piece)
) STRICT;

-- The size of a file whose content lies in pieces; none where the content stands in the row, as it did before.
ALTER TABLE run_file ADD COLUMN bytes INTEGER;

-- Other forms of a run's persons' file, each made once, when it was first asked for.
CREATE TABLE run_format (
    run_id TEXT NOT NULL REFERENCES run (id),
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    PRIMARY KEY (run_id, name)
) STRICT;

-- When the server starts runs of a survey by itself; what was due before looked_at_ms is done.
CREATE TABLE survey_schedule (
    survey_id TEXT NOT NULL PRIMARY KEY REFERENCES survey (id),
    cron TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at_ms INTEGER NOT NULL,
    looked_at_ms INTEGER NOT NULL
) STRICT;

CREATE TRIGGER content_piece_is_immutable BEFORE UPDATE ON content_piece
BEGIN SELECT RAISE(ABORT, 'a content never changes'); END;
CREATE TRIGGER run_format_is_immutable BEFORE UPDATE ON run_format
BEGIN SELECT RAISE(ABORT, 'a form of a file never changes'); END;
