CREATE TABLE files (
    file_id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    filename TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    created_at INTEGER NOT NULL, -- microseconds
    state INTEGER NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    sha256_verified INTEGER NOT NULL,
    position INTEGER, -- in the conversation's list; NULL until AVAILABLE
    object_removed INTEGER NOT NULL DEFAULT 0 -- 1 when the bytes of a DELETED file are gone
) WITHOUT ROWID;

CREATE UNIQUE INDEX files_by_conversation ON files (conversation_id, position) WHERE position IS NOT NULL;
CREATE INDEX files_by_owner ON files (owner, size) WHERE state = 2;
CREATE INDEX files_to_remove ON files (file_id) WHERE state = 3 AND object_removed = 0;

CREATE TABLE uploads (
    upload_id TEXT PRIMARY KEY,
    file_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    store_upload TEXT NOT NULL,
    part_size INTEGER NOT NULL,
    declared_size INTEGER,
    declared_sha256 TEXT NOT NULL,
    expires_at INTEGER NOT NULL, -- microseconds
    state INTEGER NOT NULL,
    direct INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    tail_size INTEGER NOT NULL,
    tail_tag TEXT NOT NULL,
    hash_state BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    due_at INTEGER NOT NULL -- microseconds; when the janitor has to look at it
) WITHOUT ROWID;

CREATE INDEX uploads_by_due_at ON uploads (due_at);
CREATE INDEX uploads_by_owner ON uploads (owner) WHERE state = 1;

CREATE TABLE upload_parts (
    upload_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (upload_id, number)
) WITHOUT ROWID;
