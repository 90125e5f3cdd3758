-- The audit log: every change of state and every download, one entry each, in the transaction of the change itself.
-- An entry's header is hashed; its detail only through a salted commitment, so that a detail can be erased while the
-- log stays verifiable.
CREATE TABLE audit_entry (
    seq INTEGER NOT NULL PRIMARY KEY CHECK (seq >= 0),
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    commitment TEXT NOT NULL,
    salt BLOB,
    detail TEXT,
    leaf BLOB NOT NULL
) STRICT;
CREATE INDEX audit_entry_by_object ON audit_entry (object, seq);
CREATE INDEX audit_entry_by_actor ON audit_entry (actor, seq);

-- One row: how many entries there are, and the roots of the perfect subtrees they make (RFC 6962).
CREATE TABLE audit_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    frontier BLOB NOT NULL
) STRICT;
INSERT INTO audit_head (id, size, frontier) VALUES (1, 0, x'');

CREATE TRIGGER audit_entry_is_immutable BEFORE UPDATE OF seq, at_ms, actor, role, action, object, outcome, commitment, leaf ON audit_entry
BEGIN SELECT RAISE(ABORT, 'an audit entry never changes'); END;
CREATE TRIGGER audit_detail_is_only_erased BEFORE UPDATE OF salt, detail ON audit_entry
WHEN NEW.salt IS NOT NULL OR NEW.detail IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the detail of an audit entry is only ever erased'); END;
CREATE TRIGGER audit_entry_is_kept BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'an audit entry is never removed'); END;
CREATE TRIGGER audit_head_only_grows BEFORE UPDATE ON audit_head WHEN NEW.size < OLD.size
BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_head_is_kept BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
