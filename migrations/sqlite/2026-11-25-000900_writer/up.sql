-- Whether the sender stood revoked when the bytes arrived: what counts is the state then, not that of the judgement.
ALTER TABLE submission_raw ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1));

-- Of bytes from before, the safe side: what still waits from somebody who stands revoked now goes on waiting for a person.
UPDATE submission_raw SET revoked = 1
WHERE received_from IN (
        SELECT d.id FROM device d JOIN person p ON p.id = d.person_id WHERE d.status <> 'active' OR p.status <> 'active')
    AND (judged_at_ms IS NULL OR server_seq IN (SELECT server_seq FROM quarantine WHERE state = 'open'));

-- What is kept and not judged. A row here instead of a mark beside the bytes: changing the mark would write the bytes again.
CREATE TABLE submission_unjudged (
    server_seq INTEGER NOT NULL PRIMARY KEY REFERENCES submission_raw (server_seq)
) STRICT;
INSERT INTO submission_unjudged (server_seq) SELECT server_seq FROM submission_raw WHERE judged_at_ms IS NULL AND NOT conflict;
DROP INDEX submission_not_yet_judged;

DROP TRIGGER submission_bytes_are_immutable;
ALTER TABLE submission_raw DROP COLUMN judged_at_ms;
CREATE TRIGGER submission_bytes_are_immutable BEFORE UPDATE ON submission_raw
BEGIN SELECT RAISE(ABORT, 'received bytes never change'); END;
