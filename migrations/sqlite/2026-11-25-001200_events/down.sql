DROP TABLE contact_attempt;
DROP TABLE field_event;
DROP TABLE field_event_head;
