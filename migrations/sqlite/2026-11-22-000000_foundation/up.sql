-- Times are epoch milliseconds, ids a client sees are UUIDs as text, digests are lower-case hex of SHA-256.

CREATE TABLE questionnaire (
    hash TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    version TEXT NOT NULL,
    title TEXT NOT NULL,
    canonical TEXT NOT NULL,
    source TEXT NOT NULL,
    published_at_ms INTEGER NOT NULL,
    published_by TEXT NOT NULL,
    UNIQUE (id, version)
) STRICT;

CREATE TABLE survey (
    id TEXT NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    place TEXT NOT NULL,
    questionnaire_hash TEXT NOT NULL REFERENCES questionnaire (hash),
    profile_id TEXT NOT NULL,
    profile_version TEXT NOT NULL,
    profile_source TEXT NOT NULL,
    fieldwork_from TEXT NOT NULL,
    fieldwork_to TEXT NOT NULL,
    example INTEGER NOT NULL CHECK (example IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX survey_by_questionnaire ON survey (questionnaire_hash);

-- Each upload is a new version; the highest version of a kind is the one in force.
CREATE TABLE survey_file (
    survey_id TEXT NOT NULL REFERENCES survey (id),
    kind TEXT NOT NULL CHECK (kind IN ('sample', 'margins', 'regions', 'targets', 'plan')),
    version INTEGER NOT NULL CHECK (version >= 1),
    sha256 TEXT NOT NULL,
    content TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    received_from TEXT NOT NULL,
    PRIMARY KEY (survey_id, kind, version)
) STRICT;

-- The rows of the sample file in force, for look-ups; the run reads the file itself.
CREATE TABLE sample_case (
    survey_id TEXT NOT NULL REFERENCES survey (id),
    case_id TEXT NOT NULL,
    district TEXT NOT NULL,
    stratum TEXT NOT NULL,
    psu TEXT NOT NULL,
    residence TEXT NOT NULL,
    probabilities TEXT NOT NULL,
    PRIMARY KEY (survey_id, case_id)
) STRICT;
CREATE INDEX sample_case_by_case ON sample_case (case_id);

-- Append-only: what a device sent, byte by byte, stored before anything is judged.
CREATE TABLE submission_raw (
    server_seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    id TEXT NOT NULL,
    rev INTEGER NOT NULL CHECK (rev >= 1),
    sha256 TEXT NOT NULL,
    body BLOB NOT NULL,
    content_type TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    received_from TEXT NOT NULL,
    conflict INTEGER NOT NULL CHECK (conflict IN (0, 1)),
    judged_at_ms INTEGER,
    UNIQUE (id, rev, sha256)
) STRICT;
CREATE INDEX submission_not_yet_judged ON submission_raw (server_seq) WHERE judged_at_ms IS NULL;

CREATE TABLE receipt (
    server_seq INTEGER NOT NULL PRIMARY KEY REFERENCES submission_raw (server_seq),
    short_code TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX receipt_by_short_code ON receipt (short_code);

-- The head of a submission: what the judgement made of its current revision.
CREATE TABLE interview (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('received', 'parsed', 'quarantined', 'surplus')),
    has_conflict INTEGER NOT NULL CHECK (has_conflict IN (0, 1)),
    current_rev INTEGER NOT NULL,
    current_seq INTEGER NOT NULL,
    survey_id TEXT REFERENCES survey (id),
    case_id TEXT,
    questionnaire_hash TEXT,
    answers TEXT,
    changed_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX interview_by_survey ON interview (survey_id, id);

-- At most one interview of a case counts; the others are surplus.
CREATE TABLE canonical_interview (
    survey_id TEXT NOT NULL REFERENCES survey (id),
    case_id TEXT NOT NULL,
    interview_id TEXT NOT NULL UNIQUE REFERENCES interview (id),
    PRIMARY KEY (survey_id, case_id)
) STRICT;

CREATE TABLE quarantine (
    server_seq INTEGER NOT NULL PRIMARY KEY REFERENCES submission_raw (server_seq),
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'resolved')),
    created_at_ms INTEGER NOT NULL,
    resolved_at_ms INTEGER
) STRICT;

CREATE TABLE run (
    id TEXT NOT NULL PRIMARY KEY,
    survey_id TEXT NOT NULL REFERENCES survey (id),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed')),
    inputs TEXT,
    engine TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    started_at_ms INTEGER,
    finished_at_ms INTEGER,
    error_code TEXT,
    error TEXT
) STRICT;
CREATE INDEX run_by_survey ON run (survey_id, id);

CREATE TABLE run_file (
    run_id TEXT NOT NULL REFERENCES run (id),
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (run_id, name)
) STRICT;

CREATE TABLE api_token (
    id TEXT NOT NULL PRIMARY KEY,
    label TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('surveyor', 'supervisor', 'analyst', 'auditor', 'admin')),
    secret_sha256 TEXT NOT NULL UNIQUE,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER,
    revoked_at_ms INTEGER
) STRICT;

CREATE TRIGGER questionnaire_is_immutable BEFORE UPDATE ON questionnaire
BEGIN SELECT RAISE(ABORT, 'a published questionnaire never changes'); END;
CREATE TRIGGER questionnaire_is_kept BEFORE DELETE ON questionnaire
BEGIN SELECT RAISE(ABORT, 'a published questionnaire is never removed'); END;
CREATE TRIGGER submission_bytes_are_immutable BEFORE UPDATE OF server_seq, id, rev, sha256, body, content_type, received_at_ms, conflict ON submission_raw
BEGIN SELECT RAISE(ABORT, 'received bytes never change'); END;
CREATE TRIGGER submission_bytes_are_kept BEFORE DELETE ON submission_raw
BEGIN SELECT RAISE(ABORT, 'received bytes are never removed'); END;
CREATE TRIGGER receipt_is_immutable BEFORE UPDATE ON receipt
BEGIN SELECT RAISE(ABORT, 'a receipt never changes'); END;
CREATE TRIGGER receipt_is_kept BEFORE DELETE ON receipt
BEGIN SELECT RAISE(ABORT, 'a receipt is never removed'); END;
