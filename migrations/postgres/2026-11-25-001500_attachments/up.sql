-- Recordings and pictures that belong to interviews, in sealed pieces as they came. Which interview one belongs to stands
-- in the interview's own bytes, so that it does not matter which of them arrives first.
CREATE TABLE attachment (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    owner TEXT COLLATE "C" NOT NULL,
    length BIGINT NOT NULL CHECK (length BETWEEN 1 AND 16777216),
    sha256 TEXT COLLATE "C" NOT NULL,
    received BIGINT NOT NULL CHECK (received BETWEEN 0 AND length),
    begun_at_ms BIGINT NOT NULL,
    completed_at_ms BIGINT
);
CREATE INDEX attachment_open_by_owner ON attachment (owner) WHERE completed_at_ms IS NULL;

CREATE TABLE attachment_piece (
    attachment_id TEXT COLLATE "C" NOT NULL REFERENCES attachment (id),
    place BIGINT NOT NULL CHECK (place >= 0),
    sealed BYTEA NOT NULL,
    PRIMARY KEY (attachment_id, place)
);
