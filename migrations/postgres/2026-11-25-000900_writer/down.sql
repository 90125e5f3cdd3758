DROP TRIGGER submission_bytes_are_immutable ON submission_raw;
ALTER TABLE submission_raw ADD COLUMN judged_at_ms BIGINT;
-- When is not known any more; that they were judged is.
UPDATE submission_raw SET judged_at_ms = received_at_ms
WHERE NOT conflict AND server_seq NOT IN (SELECT server_seq FROM submission_unjudged);
CREATE INDEX submission_not_yet_judged ON submission_raw (server_seq) WHERE judged_at_ms IS NULL;
DROP TABLE submission_unjudged;
ALTER TABLE submission_raw DROP COLUMN revoked;
CREATE TRIGGER submission_bytes_are_immutable
BEFORE UPDATE OF server_seq, id, rev, sha256, body, content_type, received_at_ms, conflict ON submission_raw
FOR EACH ROW EXECUTE FUNCTION refuse_change();
