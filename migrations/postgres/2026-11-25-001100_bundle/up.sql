-- What vouches for a run's files, signed once: with run_file it is the whole bundle, whose digest stands here.
CREATE TABLE run_bundle (
    run_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES run (id),
    manifest BYTEA NOT NULL,
    proof TEXT COLLATE "C" NOT NULL,
    entry TEXT COLLATE "C" NOT NULL,
    checkpoint TEXT COLLATE "C" NOT NULL,
    public_keys TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    bytes BIGINT NOT NULL CHECK (bytes > 0),
    made_at_ms BIGINT NOT NULL
);

CREATE TRIGGER run_bundle_is_immutable BEFORE UPDATE ON run_bundle
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER run_bundle_is_kept BEFORE DELETE ON run_bundle
FOR EACH ROW EXECUTE FUNCTION refuse_change();
