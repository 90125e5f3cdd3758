DROP TRIGGER submission_bytes_are_immutable;
ALTER TABLE submission_raw DROP COLUMN revoked;
CREATE TRIGGER submission_bytes_are_immutable BEFORE UPDATE OF server_seq, id, rev, sha256, body, content_type, received_at_ms, conflict ON submission_raw
BEGIN SELECT RAISE(ABORT, 'received bytes never change'); END;
