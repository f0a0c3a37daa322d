-- The file that a message carries: a JSON object, or NULL.
ALTER TABLE messages ADD COLUMN file TEXT;
