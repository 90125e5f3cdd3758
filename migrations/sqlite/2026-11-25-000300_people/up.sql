-- People, their roles, where they are signed in, their tablets. Secrets are kept as digests only.
CREATE TABLE person (
    id TEXT NOT NULL PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    work_id TEXT,
    password_hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    created_by TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;

-- A grant counts once a second administrator confirmed it. Ended ones stay as history.
CREATE TABLE role_grant (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES person (id),
    role TEXT NOT NULL CHECK (role IN ('surveyor', 'supervisor', 'analyst', 'auditor', 'admin')),
    scope TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER,
    state TEXT NOT NULL CHECK (state IN ('proposed', 'active', 'ended')),
    proposed_by TEXT NOT NULL,
    proposed_at_ms INTEGER NOT NULL,
    confirmed_by TEXT,
    confirmed_at_ms INTEGER,
    ended_by TEXT,
    ended_at_ms INTEGER,
    CHECK (confirmed_by IS NULL OR (confirmed_by <> person_id AND confirmed_by <> proposed_by)),
    CHECK (proposed_by <> person_id),
    CHECK (state <> 'active' OR confirmed_by IS NOT NULL)
) STRICT;
CREATE INDEX role_grant_by_person ON role_grant (person_id, id);
CREATE UNIQUE INDEX role_grant_once ON role_grant (person_id, role) WHERE state <> 'ended';

CREATE TABLE session (
    token_sha256 TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    person_id TEXT NOT NULL REFERENCES person (id),
    created_at_ms INTEGER NOT NULL,
    used_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_person ON session (person_id, id);

CREATE TABLE device (
    id TEXT NOT NULL PRIMARY KEY,
    label TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    public_key TEXT NOT NULL,
    enrolled_by TEXT NOT NULL,
    enrolled_at_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'lost', 'retired')),
    app_release TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    storage_bytes INTEGER,
    persisted INTEGER CHECK (persisted IN (0, 1)),
    last_seen_ms INTEGER NOT NULL,
    clock_offset_ms INTEGER,
    queue_len INTEGER,
    oldest_unsent_ms INTEGER
) STRICT;
CREATE INDEX device_by_person ON device (person_id, id);

CREATE TABLE device_token (
    token_sha256 TEXT NOT NULL PRIMARY KEY,
    device_id TEXT NOT NULL UNIQUE REFERENCES device (id),
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) STRICT;

-- The first signs of a code find it, the digest of the whole proves it.
CREATE TABLE enrolment_code (
    id TEXT NOT NULL PRIMARY KEY,
    selector TEXT NOT NULL,
    code_sha256 TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    label TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    wrong_tries INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'used', 'burnt')),
    device_id TEXT REFERENCES device (id)
) STRICT;
CREATE UNIQUE INDEX enrolment_code_open ON enrolment_code (selector) WHERE state = 'open';

-- How often something was tried of late; the key is a digest, because people type passwords into the login's field.
CREATE TABLE throttle (
    key TEXT NOT NULL PRIMARY KEY,
    tries INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    blocked_until_ms INTEGER NOT NULL
) STRICT;
