CREATE TABLE stream_state (
    epoch TEXT NOT NULL, -- of all streams: they live and die with this file
    last_payload_id INTEGER NOT NULL -- also orders conversations by activity
);
INSERT INTO stream_state VALUES (lower(hex(randomblob(8))), 0);

CREATE TABLE streams (
    stream_id INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL UNIQUE,
    trimmed_up_to INTEGER NOT NULL DEFAULT 0, -- events up to this offset are not kept any more
    acknowledged_up_to INTEGER NOT NULL DEFAULT 0
);

-- An event is stored once, however many streams it is in.
CREATE TABLE stream_payloads (
    payload_id INTEGER PRIMARY KEY, -- in the order of appending
    conversation_id TEXT NOT NULL,
    message_sequence INTEGER NOT NULL,
    appended_at INTEGER NOT NULL, -- microseconds
    payload BLOB NOT NULL
);

CREATE TABLE stream_events (
    stream_id INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    payload_id INTEGER NOT NULL,
    PRIMARY KEY (stream_id, offset)
) WITHOUT ROWID;

-- The last record and event of it that a stream took from each log partition.
CREATE TABLE stream_sources (
    stream_id INTEGER NOT NULL,
    role TEXT NOT NULL,
    generation INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    event_index INTEGER NOT NULL,
    PRIMARY KEY (stream_id, role, generation, partition)
) WITHOUT ROWID;

CREATE TABLE stream_activity (
    stream_id INTEGER NOT NULL,
    conversation_id TEXT NOT NULL,
    activity INTEGER NOT NULL,
    PRIMARY KEY (stream_id, conversation_id)
) WITHOUT ROWID;
CREATE INDEX stream_activity_by_activity ON stream_activity (stream_id, activity);

-- What trimmed events announced and was not acknowledged.
CREATE TABLE stream_unacknowledged (
    stream_id INTEGER NOT NULL,
    conversation_id TEXT NOT NULL,
    message_sequence INTEGER NOT NULL,
    offset INTEGER NOT NULL, -- of the newest such event
    PRIMARY KEY (stream_id, conversation_id)
) WITHOUT ROWID;
