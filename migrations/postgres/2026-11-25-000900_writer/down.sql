DROP TRIGGER submission_bytes_are_immutable ON submission_raw;
ALTER TABLE submission_raw DROP COLUMN revoked;
CREATE TRIGGER submission_bytes_are_immutable
BEFORE UPDATE OF server_seq, id, rev, sha256, body, content_type, received_at_ms, conflict ON submission_raw
FOR EACH ROW EXECUTE FUNCTION refuse_change();
