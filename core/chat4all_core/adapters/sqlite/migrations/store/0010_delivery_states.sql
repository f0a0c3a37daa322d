-- What is known of deliveries by channels: of each state of each attempt, the earliest evidence.
CREATE TABLE delivery_states (
    conversation_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    channel TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    state INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    time INTEGER NOT NULL, -- microseconds
    provider_id TEXT,
    failure_code TEXT, -- of FAILED, as the two below
    failure_reason TEXT,
    failure_remedy TEXT,
    PRIMARY KEY (conversation_id, sequence, recipient, channel, attempt, state)
) STRICT, WITHOUT ROWID;

-- Where a message goes besides: a JSON array of [recipient, channel, address], or NULL.
ALTER TABLE messages ADD COLUMN routes TEXT;
