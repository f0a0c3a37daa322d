CREATE TABLE messages (
    conversation_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    -- The log record that the row came from.
    generation INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    accepted_at INTEGER NOT NULL, -- microseconds
    membership_version INTEGER NOT NULL,
    reply_to TEXT,
    metadata TEXT, -- a JSON object
    text TEXT NOT NULL,
    PRIMARY KEY (conversation_id, sequence)
) WITHOUT ROWID;

-- Where a message lies: the entries hold the primary key too.
CREATE INDEX messages_by_id ON messages (message_id);
