-- What vouches for a run's files, signed once: with run_file it is the whole bundle, whose digest stands here.
CREATE TABLE run_bundle (
    run_id TEXT NOT NULL PRIMARY KEY REFERENCES run (id),
    manifest BLOB NOT NULL,
    proof TEXT NOT NULL,
    entry TEXT NOT NULL,
    checkpoint TEXT NOT NULL,
    public_keys TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL CHECK (bytes > 0),
    made_at_ms INTEGER NOT NULL
) STRICT;

CREATE TRIGGER run_bundle_is_immutable BEFORE UPDATE ON run_bundle
BEGIN SELECT RAISE(ABORT, 'a bundle never changes'); END;
CREATE TRIGGER run_bundle_is_kept BEFORE DELETE ON run_bundle
BEGIN SELECT RAISE(ABORT, 'a bundle is never removed'); END;
