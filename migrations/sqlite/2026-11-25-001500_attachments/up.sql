-- Recordings and pictures that belong to interviews, in sealed pieces as they came. Which interview one belongs to stands
-- in the interview's own bytes, so that it does not matter which of them arrives first.
CREATE TABLE attachment (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    length INTEGER NOT NULL CHECK (length BETWEEN 1 AND 16777216),
    sha256 TEXT NOT NULL,
    received INTEGER NOT NULL CHECK (received BETWEEN 0 AND length),
    begun_at_ms INTEGER NOT NULL,
    completed_at_ms INTEGER
) STRICT;
CREATE INDEX attachment_open_by_owner ON attachment (owner) WHERE completed_at_ms IS NULL;

CREATE TABLE attachment_piece (
    attachment_id TEXT NOT NULL REFERENCES attachment (id),
    place INTEGER NOT NULL CHECK (place >= 0),
    sealed BLOB NOT NULL,
    PRIMARY KEY (attachment_id, place)
) STRICT;
