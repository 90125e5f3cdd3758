DROP TABLE survey_schedule;
DROP TABLE run_format;
ALTER TABLE run_file DROP COLUMN bytes;
DROP TABLE content_piece;
