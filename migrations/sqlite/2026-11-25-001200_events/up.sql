-- What a tablet tells of its work: numbered by the tablet from 1, so that a repetition is known and a gap is seen.
CREATE TABLE field_event (
    device_id TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 1),
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT;
CREATE TRIGGER field_event_is_immutable BEFORE UPDATE ON field_event
BEGIN SELECT RAISE(ABORT, 'an event never changes'); END;

-- Up to which number everything of a tablet is there.
CREATE TABLE field_event_head (
    device_id TEXT NOT NULL PRIMARY KEY,
    through INTEGER NOT NULL
) STRICT;

-- Every try to reach a household, from the events of that kind.
CREATE TABLE contact_attempt (
    id TEXT NOT NULL PRIMARY KEY,
    survey_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    person_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    mode TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX contact_attempt_by_case ON contact_attempt (survey_id, case_id, at_ms, id);
