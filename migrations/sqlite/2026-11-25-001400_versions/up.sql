-- Every version of its questionnaire that a survey's interviews may be made by. The one that new cases get is in `survey`.
CREATE TABLE survey_questionnaire (
    survey_id TEXT NOT NULL REFERENCES survey (id),
    questionnaire_hash TEXT NOT NULL REFERENCES questionnaire (hash),
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (survey_id, questionnaire_hash)
) STRICT;
CREATE INDEX survey_questionnaire_by_hash ON survey_questionnaire (questionnaire_hash);
INSERT INTO survey_questionnaire (survey_id, questionnaire_hash, since_ms)
SELECT id, questionnaire_hash, created_at_ms FROM survey;
