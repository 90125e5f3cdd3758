-- Signed checkpoints of the audit log: how long it was, its root, and the note with the signature.
CREATE TABLE audit_checkpoint (
    size BIGINT NOT NULL PRIMARY KEY CHECK (size >= 0),
    root BYTEA NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL
);

CREATE TRIGGER audit_checkpoint_is_immutable BEFORE UPDATE ON audit_checkpoint
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_checkpoint_is_kept BEFORE DELETE ON audit_checkpoint
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_checkpoints_are_kept BEFORE TRUNCATE ON audit_checkpoint
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
