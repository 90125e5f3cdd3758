DROP TABLE disclosure_release;
