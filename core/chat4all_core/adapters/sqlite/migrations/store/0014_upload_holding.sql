ALTER TABLE uploads ADD COLUMN holding INTEGER NOT NULL DEFAULT 0; -- what its holder does
