-- Words and positions of visits, sealed under the key of their case like the rest of the vault. The event keeps a keyed
-- digest in their place. What names no case is sealed under a key of its tablet.
CREATE TABLE identity_note (
    device_id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    field TEXT COLLATE "C" NOT NULL CHECK (field IN ('gps', 'note')),
    survey_id TEXT COLLATE "C" NOT NULL,
    case_id TEXT COLLATE "C" NOT NULL,
    ciphertext BYTEA NOT NULL,
    PRIMARY KEY (device_id, seq, field),
    FOREIGN KEY (survey_id, case_id) REFERENCES identity_case (survey_id, case_id)
);
CREATE INDEX identity_note_by_case ON identity_note (survey_id, case_id);
