-- What a run was asked beyond its survey: the variance method, an earlier run to compare with. JSON.
ALTER TABLE run ADD COLUMN request TEXT NOT NULL DEFAULT '{}';
