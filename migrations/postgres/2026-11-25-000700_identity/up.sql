-- The vault: who and where a case is, apart from what was answered, and nothing of it in plain text. No table outside
-- names these, and these name none outside, so that they can move to a database of their own.

-- One row a survey: its data key and its key for telephone look-ups, both sealed under the key in the key file.
CREATE TABLE identity_survey (
    survey_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    key_version INTEGER NOT NULL CHECK (key_version >= 1),
    data_key BYTEA NOT NULL,
    index_key BYTEA NOT NULL,
    created_at_ms BIGINT NOT NULL
);

-- One row a case: its own key, sealed under the survey's data key. Without the key its fields can never be read again.
CREATE TABLE identity_case (
    survey_id TEXT COLLATE "C" NOT NULL REFERENCES identity_survey (survey_id),
    case_id TEXT COLLATE "C" NOT NULL,
    case_key BYTEA,
    phone_index BYTEA,
    changed_at_ms BIGINT NOT NULL,
    erased_at_ms BIGINT,
    PRIMARY KEY (survey_id, case_id),
    CHECK ((case_key IS NULL) = (erased_at_ms IS NOT NULL))
);
CREATE INDEX identity_case_by_phone ON identity_case (survey_id, phone_index) WHERE phone_index IS NOT NULL;

CREATE TABLE identity_field (
    survey_id TEXT COLLATE "C" NOT NULL,
    case_id TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C" NOT NULL CHECK (field IN ('address', 'name', 'note', 'phone')),
    ciphertext BYTEA NOT NULL,
    PRIMARY KEY (survey_id, case_id, field),
    FOREIGN KEY (survey_id, case_id) REFERENCES identity_case (survey_id, case_id)
);

-- An erasure takes two persons: one asks, another confirms.
CREATE TABLE identity_erasure (
    survey_id TEXT COLLATE "C" NOT NULL,
    case_id TEXT COLLATE "C" NOT NULL,
    requested_by TEXT COLLATE "C" NOT NULL,
    requested_at_ms BIGINT NOT NULL,
    confirmed_by TEXT COLLATE "C",
    confirmed_at_ms BIGINT,
    PRIMARY KEY (survey_id, case_id),
    CHECK (confirmed_by IS NULL OR confirmed_by <> requested_by)
);
