-- The outlines of a survey's districts, each time as they were put: checked, in one form, with source and 审图号 inside.
CREATE TABLE survey_map (
    survey_id TEXT COLLATE "C" NOT NULL REFERENCES survey (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    sha256 TEXT COLLATE "C" NOT NULL,
    content BYTEA NOT NULL,
    received_at_ms BIGINT NOT NULL,
    received_from TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (survey_id, version)
);

CREATE TRIGGER survey_map_is_immutable BEFORE UPDATE ON survey_map
FOR EACH ROW EXECUTE FUNCTION refuse_change();
