DROP TABLE substitution;
ALTER TABLE sample_case DROP COLUMN reserve_rank;
