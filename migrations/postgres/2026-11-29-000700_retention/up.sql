-- What is kept until when. A legal hold stops every deletion of its survey; whoever asks that it be lifted does not lift it.
CREATE TABLE legal_hold (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    survey_id TEXT COLLATE "C" NOT NULL REFERENCES survey (id),
    reason TEXT COLLATE "C" NOT NULL,
    set_by TEXT COLLATE "C" NOT NULL,
    set_at_ms BIGINT NOT NULL,
    lift_reason TEXT COLLATE "C",
    lift_asked_by TEXT COLLATE "C",
    lift_asked_at_ms BIGINT,
    lifted_by TEXT COLLATE "C",
    lifted_at_ms BIGINT,
    CHECK ((lift_asked_by IS NULL) = (lift_asked_at_ms IS NULL)),
    CHECK ((lifted_by IS NULL) = (lifted_at_ms IS NULL)),
    CHECK (lifted_by IS NULL OR (lift_asked_by IS NOT NULL AND lifted_by <> lift_asked_by))
);
CREATE UNIQUE INDEX legal_hold_in_force ON legal_hold (survey_id) WHERE lifted_at_ms IS NULL;

-- Append-only: each deletion with what, how many, by whom and why.
CREATE TABLE retention_job (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    survey_id TEXT COLLATE "C" REFERENCES survey (id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('contacts', 'attachments', 'uploads', 'raw')),
    items BIGINT NOT NULL CHECK (items > 0),
    reason TEXT COLLATE "C" NOT NULL,
    by_id TEXT COLLATE "C" NOT NULL,
    by_role TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX retention_job_by_survey ON retention_job (survey_id, at_ms);

-- Which received bytes were deleted: digest, receipt and place in the order of arrival stay.
CREATE TABLE submission_erased (
    server_seq BIGINT NOT NULL PRIMARY KEY REFERENCES submission_raw (server_seq),
    job_id TEXT COLLATE "C" NOT NULL REFERENCES retention_job (id)
);

-- Which interview names which attachment, read once out of each body that arrived, up to the place in attachment_reading.
CREATE TABLE attachment_link (
    attachment_id TEXT COLLATE "C" NOT NULL,
    interview_id TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (attachment_id, interview_id)
);
CREATE TABLE attachment_reading (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    through_seq BIGINT NOT NULL
);
INSERT INTO attachment_reading (id, through_seq) VALUES (1, 0);

-- An attachment whose pieces and key are gone keeps its head: what was sent, with which digest.
ALTER TABLE attachment ADD COLUMN deleted_at_ms BIGINT;

-- Received bytes never change; they may be emptied once submission_erased names them.
CREATE FUNCTION refuse_other_bytes() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF octet_length(NEW.body) > 0 OR NOT EXISTS (SELECT 1 FROM submission_erased e WHERE e.server_seq = OLD.server_seq)
        OR NEW.server_seq IS DISTINCT FROM OLD.server_seq OR NEW.id IS DISTINCT FROM OLD.id OR NEW.rev IS DISTINCT FROM OLD.rev OR NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.content_type IS DISTINCT FROM OLD.content_type OR NEW.received_at_ms IS DISTINCT FROM OLD.received_at_ms OR NEW.received_from IS DISTINCT FROM OLD.received_from OR NEW.conflict IS DISTINCT FROM OLD.conflict OR NEW.revoked IS DISTINCT FROM OLD.revoked
    THEN RAISE EXCEPTION 'received bytes never change';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER submission_bytes_are_immutable ON submission_raw;
CREATE TRIGGER submission_bytes_are_immutable BEFORE UPDATE ON submission_raw
FOR EACH ROW EXECUTE FUNCTION refuse_other_bytes();
CREATE TRIGGER retention_job_is_immutable BEFORE UPDATE OR DELETE ON retention_job
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER submission_erased_is_immutable BEFORE UPDATE OR DELETE ON submission_erased
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER legal_hold_is_kept BEFORE DELETE ON legal_hold
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER legal_hold_ends_once BEFORE UPDATE ON legal_hold
FOR EACH ROW WHEN (OLD.lifted_at_ms IS NOT NULL) EXECUTE FUNCTION refuse_change();
