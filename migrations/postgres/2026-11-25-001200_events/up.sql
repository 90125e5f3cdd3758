-- What a tablet tells of its work: numbered by the tablet from 1, so that a repetition is known and a gap is seen.
CREATE TABLE field_event (
    device_id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    kind TEXT COLLATE "C" NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    received_at_ms BIGINT NOT NULL,
    PRIMARY KEY (device_id, seq)
);
CREATE TRIGGER field_event_is_immutable BEFORE UPDATE ON field_event
FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Up to which number everything of a tablet is there.
CREATE TABLE field_event_head (
    device_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    through BIGINT NOT NULL
);

-- Every try to reach a household, from the events of that kind.
CREATE TABLE contact_attempt (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    survey_id TEXT COLLATE "C" NOT NULL,
    case_id TEXT COLLATE "C" NOT NULL,
    device_id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    received_at_ms BIGINT NOT NULL
);
CREATE INDEX contact_attempt_by_case ON contact_attempt (survey_id, case_id, at_ms, id);
