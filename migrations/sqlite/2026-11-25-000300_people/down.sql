DROP TABLE throttle;
DROP TABLE enrolment_code;
DROP TABLE device_token;
DROP TABLE device;
DROP TABLE session;
DROP TABLE role_grant;
DROP TABLE person;
