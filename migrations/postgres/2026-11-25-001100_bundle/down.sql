DROP TABLE run_bundle;
