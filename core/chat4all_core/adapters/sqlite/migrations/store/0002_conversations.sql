CREATE TABLE conversations (
    conversation_id TEXT PRIMARY KEY,
    type INTEGER NOT NULL,
    title TEXT NOT NULL,
    creator TEXT NOT NULL,
    created_at INTEGER NOT NULL, -- microseconds
    version INTEGER NOT NULL
) WITHOUT ROWID;

-- Every stay that there ever was.
CREATE TABLE participations (
    conversation_id TEXT NOT NULL,
    participant TEXT NOT NULL,
    added_version INTEGER NOT NULL,
    removed_version INTEGER,
    role INTEGER NOT NULL,
    joined_sequence INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, participant, added_version)
) WITHOUT ROWID;
