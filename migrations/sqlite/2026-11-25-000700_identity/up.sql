-- The vault: who and where a case is, apart from what was answered, and nothing of it in plain text. No table outside
-- names these, and these name none outside, so that they can move to a database of their own.

-- One row a survey: its data key and its key for telephone look-ups, both sealed under the key in the key file.
CREATE TABLE identity_survey (
    survey_id TEXT NOT NULL PRIMARY KEY,
    key_version INTEGER NOT NULL CHECK (key_version >= 1),
    data_key BLOB NOT NULL,
    index_key BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;

-- One row a case: its own key, sealed under the survey's data key. Without the key its fields can never be read again.
CREATE TABLE identity_case (
    survey_id TEXT NOT NULL REFERENCES identity_survey (survey_id),
    case_id TEXT NOT NULL,
    case_key BLOB,
    phone_index BLOB,
    changed_at_ms INTEGER NOT NULL,
    erased_at_ms INTEGER,
    PRIMARY KEY (survey_id, case_id),
    CHECK ((case_key IS NULL) = (erased_at_ms IS NOT NULL))
) STRICT;
CREATE INDEX identity_case_by_phone ON identity_case (survey_id, phone_index) WHERE phone_index IS NOT NULL;

CREATE TABLE identity_field (
    survey_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    field TEXT NOT NULL CHECK (field IN ('address', 'name', 'note', 'phone')),
    ciphertext BLOB NOT NULL,
    PRIMARY KEY (survey_id, case_id, field),
    FOREIGN KEY (survey_id, case_id) REFERENCES identity_case (survey_id, case_id)
) STRICT;

-- An erasure takes two persons: one asks, another confirms.
CREATE TABLE identity_erasure (
    survey_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at_ms INTEGER NOT NULL,
    confirmed_by TEXT,
    confirmed_at_ms INTEGER,
    PRIMARY KEY (survey_id, case_id),
    CHECK (confirmed_by IS NULL OR confirmed_by <> requested_by)
) STRICT;
