DROP TABLE identity_erasure;
DROP TABLE identity_field;
DROP TABLE identity_case;
DROP TABLE identity_survey;
