-- The audit log: every change of state and every download, one entry each, in the transaction of the change itself.
-- An entry's header is hashed; its detail only through a salted commitment, so that a detail can be erased while the
-- log stays verifiable.
CREATE TABLE audit_entry (
    seq BIGINT NOT NULL PRIMARY KEY CHECK (seq >= 0),
    at_ms BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    commitment TEXT COLLATE "C" NOT NULL,
    salt BYTEA,
    detail TEXT COLLATE "C",
    leaf BYTEA NOT NULL
);
CREATE INDEX audit_entry_by_object ON audit_entry (object, seq);
CREATE INDEX audit_entry_by_actor ON audit_entry (actor, seq);

-- One row: how many entries there are, and the roots of the perfect subtrees they make (RFC 6962).
CREATE TABLE audit_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    frontier BYTEA NOT NULL
);
INSERT INTO audit_head (id, size, frontier) VALUES (1, 0, '');

CREATE TRIGGER audit_entry_is_immutable
BEFORE UPDATE OF seq, at_ms, actor, role, action, object, outcome, commitment, leaf ON audit_entry
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_detail_is_only_erased BEFORE UPDATE OF salt, detail ON audit_entry
FOR EACH ROW WHEN (NEW.salt IS NOT NULL OR NEW.detail IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_entry_is_kept BEFORE DELETE ON audit_entry
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_entries_are_kept BEFORE TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_head_only_grows BEFORE UPDATE ON audit_head
FOR EACH ROW WHEN (NEW.size < OLD.size) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_head_is_kept BEFORE DELETE ON audit_head
FOR EACH ROW EXECUTE FUNCTION refuse_change();
