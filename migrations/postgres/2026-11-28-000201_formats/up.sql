-- Large contents in pieces of one size, by the digest of the whole, so that nobody has to hold one in memory.
CREATE TABLE content_piece (
    sha256 TEXT COLLATE "C" NOT NULL,
    piece BIGINT NOT NULL CHECK (piece >= 0),
    content BYTEA NOT NULL,
    PRIMARY KEY (sha256, piece)
);

-- The size of a file whose content lies in pieces; none where the content stands in the row, as it did before.
ALTER TABLE run_file ADD COLUMN bytes BIGINT;

-- Other forms of a run's persons' file, each made once, when it was first asked for.
CREATE TABLE run_format (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES run (id),
    name TEXT COLLATE "C" NOT NULL,
    content_type TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    bytes BIGINT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    PRIMARY KEY (run_id, name)
);

-- When the server starts runs of a survey by itself; what was due before looked_at_ms is done.
CREATE TABLE survey_schedule (
    survey_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES survey (id),
    cron TEXT COLLATE "C" NOT NULL,
    set_by TEXT COLLATE "C" NOT NULL,
    set_at_ms BIGINT NOT NULL,
    looked_at_ms BIGINT NOT NULL
);

CREATE TRIGGER content_piece_is_immutable BEFORE UPDATE ON content_piece
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER run_format_is_immutable BEFORE UPDATE ON run_format
FOR EACH ROW EXECUTE FUNCTION refuse_change();
