DROP TABLE identity_note;
