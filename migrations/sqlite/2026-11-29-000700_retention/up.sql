-- What is kept until when. A legal hold stops every deletion of its survey; whoever asks that it be lifted does not lift it.
CREATE TABLE legal_hold (
    id TEXT NOT NULL PRIMARY KEY,
    survey_id TEXT NOT NULL REFERENCES survey (id),
    reason TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at_ms INTEGER NOT NULL,
    lift_reason TEXT,
    lift_asked_by TEXT,
    lift_asked_at_ms INTEGER,
    lifted_by TEXT,
    lifted_at_ms INTEGER,
    CHECK ((lift_asked_by IS NULL) = (lift_asked_at_ms IS NULL)),
    CHECK ((lifted_by IS NULL) = (lifted_at_ms IS NULL)),
    CHECK (lifted_by IS NULL OR (lift_asked_by IS NOT NULL AND lifted_by <> lift_asked_by))
) STRICT;
CREATE UNIQUE INDEX legal_hold_in_force ON legal_hold (survey_id) WHERE lifted_at_ms IS NULL;

-- Append-only: each deletion with what, how many, by whom and why.
CREATE TABLE retention_job (
    id TEXT NOT NULL PRIMARY KEY,
    survey_id TEXT REFERENCES survey (id),
    kind TEXT NOT NULL CHECK (kind IN ('contacts', 'attachments', 'uploads', 'raw')),
    items INTEGER NOT NULL CHECK (items > 0),
    reason TEXT NOT NULL,
    by_id TEXT NOT NULL,
    by_role TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX retention_job_by_survey ON retention_job (survey_id, at_ms);

-- Which received bytes were deleted: digest, receipt and place in the order of arrival stay.
CREATE TABLE submission_erased (
    server_seq INTEGER NOT NULL PRIMARY KEY REFERENCES submission_raw (server_seq),
    job_id TEXT NOT NULL REFERENCES retention_job (id)
) STRICT;

-- Which interview names which attachment, read once out of each body that arrived, up to the place in attachment_reading.
CREATE TABLE attachment_link (
    attachment_id TEXT NOT NULL,
    interview_id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (attachment_id, interview_id)
) STRICT;
CREATE TABLE attachment_reading (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    through_seq INTEGER NOT NULL
) STRICT;
INSERT INTO attachment_reading (id, through_seq) VALUES (1, 0);

-- An attachment whose pieces and key are gone keeps its head: what was sent, with which digest.
ALTER TABLE attachment ADD COLUMN deleted_at_ms INTEGER;

-- Received bytes never change; they may be emptied once submission_erased names them.
DROP TRIGGER submission_bytes_are_immutable;
CREATE TRIGGER submission_bytes_are_immutable BEFORE UPDATE ON submission_raw
WHEN NOT (length(NEW.body) = 0 AND EXISTS (SELECT 1 FROM submission_erased e WHERE e.server_seq = OLD.server_seq)
    AND NEW.server_seq = OLD.server_seq AND NEW.id = OLD.id AND NEW.rev = OLD.rev AND NEW.sha256 = OLD.sha256 AND NEW.content_type = OLD.content_type AND NEW.received_at_ms = OLD.received_at_ms AND NEW.received_from = OLD.received_from AND NEW.conflict = OLD.conflict AND NEW.revoked = OLD.revoked)
BEGIN SELECT RAISE(ABORT, 'received bytes never change'); END;
CREATE TRIGGER retention_job_is_immutable BEFORE UPDATE ON retention_job
BEGIN SELECT RAISE(ABORT, 'a deletion stays on record'); END;
CREATE TRIGGER retention_job_is_kept BEFORE DELETE ON retention_job
BEGIN SELECT RAISE(ABORT, 'a deletion stays on record'); END;
CREATE TRIGGER submission_erased_is_immutable BEFORE UPDATE ON submission_erased
BEGIN SELECT RAISE(ABORT, 'a deletion stays on record'); END;
CREATE TRIGGER submission_erased_is_kept BEFORE DELETE ON submission_erased
BEGIN SELECT RAISE(ABORT, 'a deletion stays on record'); END;
CREATE TRIGGER legal_hold_is_kept BEFORE DELETE ON legal_hold
BEGIN SELECT RAISE(ABORT, 'a legal hold stays on record'); END;
CREATE TRIGGER legal_hold_ends_once BEFORE UPDATE ON legal_hold WHEN OLD.lifted_at_ms IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a legal hold ends once'); END;
