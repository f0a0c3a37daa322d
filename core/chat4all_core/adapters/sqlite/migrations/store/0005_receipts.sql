-- How far each participant has come.
CREATE TABLE participant_cursors (
    conversation_id TEXT NOT NULL,
    participant TEXT NOT NULL,
    delivered_up_to INTEGER NOT NULL,
    read_up_to INTEGER NOT NULL,
    sent_up_to INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, participant)
) WITHOUT ROWID;

-- When they came there. Of two rows of a participant and state, the one that goes further is the later
-- one: one that goes no further and is no earlier tells nothing and is not kept.
CREATE TABLE receipts (
    conversation_id TEXT NOT NULL,
    participant TEXT NOT NULL,
    state INTEGER NOT NULL,
    up_to INTEGER NOT NULL,
    time INTEGER NOT NULL, -- microseconds
    PRIMARY KEY (conversation_id, participant, state, up_to)
) WITHOUT ROWID;
