DROP TABLE field_change;
DROP TABLE case_draw;
DROP TABLE assignment;
