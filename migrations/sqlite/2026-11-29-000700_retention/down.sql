DROP TRIGGER submission_bytes_are_immutable;
CREATE TRIGGER submission_bytes_are_immutable BEFORE UPDATE ON submission_raw
BEGIN SELECT RAISE(ABORT, 'received bytes never change'); END;
DROP TABLE attachment_reading;
DROP TABLE attachment_link;
DROP TABLE submission_erased;
DROP TABLE retention_job;
DROP TABLE legal_hold;
ALTER TABLE attachment DROP COLUMN deleted_at_ms;
