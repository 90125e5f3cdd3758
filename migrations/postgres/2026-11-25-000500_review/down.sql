DROP TABLE inbox_message;
DROP TABLE review_action;
DROP TABLE survey_closing;
ALTER TABLE quarantine DROP COLUMN next_try_ms, DROP COLUMN tries;
DROP INDEX interview_by_state;
UPDATE interview SET state = CASE
    WHEN state IN ('received', 'quarantined', 'surplus') THEN state WHEN state = 'void' THEN 'surplus' ELSE 'parsed' END;
ALTER TABLE interview DROP CONSTRAINT interview_state_check;
ALTER TABLE interview ADD CONSTRAINT interview_state_check CHECK (state IN ('received', 'parsed', 'quarantined', 'surplus'));
ALTER TABLE interview DROP COLUMN district, DROP COLUMN surveyor, DROP COLUMN l1_by, DROP COLUMN void_by;
