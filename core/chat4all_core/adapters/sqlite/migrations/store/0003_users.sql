CREATE TABLE users (
    user_id TEXT PRIMARY KEY,
    username_key TEXT NOT NULL UNIQUE,
    username TEXT NOT NULL,
    email TEXT NOT NULL,
    created_at INTEGER NOT NULL, -- microseconds
    password_hash TEXT NOT NULL
) WITHOUT ROWID;

-- A family is revoked by deleting its tokens; used ones are kept until they expire, so that reuse is seen.
CREATE TABLE refresh_tokens (
    token_hash BLOB PRIMARY KEY,
    family_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL, -- microseconds
    used INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);
