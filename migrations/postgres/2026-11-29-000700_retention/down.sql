DROP TRIGGER submission_bytes_are_immutable ON submission_raw;
DROP FUNCTION refuse_other_bytes();
CREATE TRIGGER submission_bytes_are_immutable BEFORE UPDATE ON submission_raw
FOR EACH ROW EXECUTE FUNCTION refuse_change();
DROP TABLE attachment_reading;
DROP TABLE attachment_link;
DROP TABLE submission_erased;
DROP TABLE retention_job;
DROP TABLE legal_hold;
ALTER TABLE attachment DROP COLUMN deleted_at_ms;
