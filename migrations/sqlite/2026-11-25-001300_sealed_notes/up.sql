-- Words and positions of visits, sealed under the key of their case like the rest of the vault. The event keeps a keyed
-- digest in their place. What names no case is sealed under a key of its tablet.
CREATE TABLE identity_note (
    device_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    field TEXT NOT NULL CHECK (field IN ('gps', 'note')),
    survey_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    ciphertext BLOB NOT NULL,
    PRIMARY KEY (device_id, seq, field),
    FOREIGN KEY (survey_id, case_id) REFERENCES identity_case (survey_id, case_id)
) STRICT;
CREATE INDEX identity_note_by_case ON identity_note (survey_id, case_id);
