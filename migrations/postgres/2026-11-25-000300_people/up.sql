-- People, their roles, where they are signed in, their tablets. Secrets are kept as digests only.
CREATE TABLE person (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    login TEXT COLLATE "C" NOT NULL UNIQUE,
    display_name TEXT COLLATE "C" NOT NULL,
    work_id TEXT COLLATE "C",
    password_hash TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'disabled')),
    created_by TEXT COLLATE "C" NOT NULL,
    created_at_ms BIGINT NOT NULL
);

-- A grant counts once a second administrator confirmed it. Ended ones stay as history.
CREATE TABLE role_grant (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    person_id TEXT COLLATE "C" NOT NULL REFERENCES person (id),
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('surveyor', 'supervisor', 'analyst', 'auditor', 'admin')),
    scope TEXT COLLATE "C" NOT NULL,
    from_ms BIGINT NOT NULL,
    to_ms BIGINT,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'active', 'ended')),
    proposed_by TEXT COLLATE "C" NOT NULL,
    proposed_at_ms BIGINT NOT NULL,
    confirmed_by TEXT COLLATE "C",
    confirmed_at_ms BIGINT,
    ended_by TEXT COLLATE "C",
    ended_at_ms BIGINT,
    CHECK (confirmed_by IS NULL OR (confirmed_by <> person_id AND confirmed_by <> proposed_by)),
    CHECK (proposed_by <> person_id),
    CHECK (state <> 'active' OR confirmed_by IS NOT NULL)
);
CREATE INDEX role_grant_by_person ON role_grant (person_id, id);
CREATE UNIQUE INDEX role_grant_once ON role_grant (person_id, role) WHERE state <> 'ended';

CREATE TABLE session (
    token_sha256 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    person_id TEXT COLLATE "C" NOT NULL REFERENCES person (id),
    created_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT NOT NULL
);
CREATE INDEX session_by_person ON session (person_id, id);

CREATE TABLE device (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    label TEXT COLLATE "C" NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL REFERENCES person (id),
    public_key TEXT COLLATE "C" NOT NULL,
    enrolled_by TEXT COLLATE "C" NOT NULL,
    enrolled_at_ms BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'lost', 'retired')),
    app_release TEXT COLLATE "C" NOT NULL,
    user_agent TEXT COLLATE "C" NOT NULL,
    storage_bytes BIGINT,
    persisted BOOLEAN,
    last_seen_ms BIGINT NOT NULL,
    clock_offset_ms BIGINT,
    queue_len BIGINT,
    oldest_unsent_ms BIGINT
);
CREATE INDEX device_by_person ON device (person_id, id);

CREATE TABLE device_token (
    token_sha256 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    device_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES device (id),
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);

-- The first signs of a code find it, the digest of the whole proves it.
CREATE TABLE enrolment_code (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    selector TEXT COLLATE "C" NOT NULL,
    code_sha256 TEXT COLLATE "C" NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL REFERENCES person (id),
    label TEXT COLLATE "C" NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    wrong_tries INTEGER NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'used', 'burnt')),
    device_id TEXT COLLATE "C" REFERENCES device (id)
);
CREATE UNIQUE INDEX enrolment_code_open ON enrolment_code (selector) WHERE state = 'open';

-- How often something was tried of late; the key is a digest, because people type passwords into the login's field.
CREATE TABLE throttle (
    key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tries INTEGER NOT NULL,
    since_ms BIGINT NOT NULL,
    blocked_until_ms BIGINT NOT NULL
);
