DROP TABLE survey_map;
