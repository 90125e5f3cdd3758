DROP TABLE survey_questionnaire;
