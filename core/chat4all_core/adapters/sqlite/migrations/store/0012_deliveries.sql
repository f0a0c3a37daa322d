-- What was done about each part of each attempt of a delivery. Times are microseconds.
CREATE TABLE delivery_ledger (
    delivery_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    part INTEGER NOT NULL,
    owner TEXT NOT NULL,
    lease_until INTEGER NOT NULL,
    state INTEGER, -- NULL while it is claimed
    settled_at INTEGER,
    provider_id TEXT,
    failure TEXT, -- a JSON array: code, reason, remedy
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (delivery_id, attempt, part)
) WITHOUT ROWID;
CREATE INDEX delivery_ledger_expiry ON delivery_ledger (expires_at);

CREATE TABLE provider_messages (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    is_last INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (channel, account, provider_id)
) WITHOUT ROWID;
CREATE INDEX provider_messages_expiry ON provider_messages (expires_at);

-- Reports on messages that are not in the table above yet.
CREATE TABLE parked_reports (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    digest BLOB NOT NULL, -- of the report: the same one is kept once
    report BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (channel, account, provider_id, digest)
) WITHOUT ROWID;
CREATE INDEX parked_reports_expiry ON parked_reports (expires_at);

-- The queues of people whose deliveries wait for long, and what is in them.
CREATE TABLE deferred_queues (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    partition INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (channel, address)
) WITHOUT ROWID;
CREATE INDEX deferred_queues_due ON deferred_queues (channel, partition, due_at);

CREATE TABLE deferred_deliveries (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    generation INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (channel, address, generation, partition, offset)
) WITHOUT ROWID;

CREATE TABLE dead_letters (
    dead_letter_id TEXT NOT NULL PRIMARY KEY,
    rejected_at INTEGER NOT NULL,
    topic TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    remedy TEXT NOT NULL,
    history TEXT NOT NULL, -- a JSON array of [time, what]
    redriven_at INTEGER,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX dead_letters_newest ON dead_letters (rejected_at DESC, dead_letter_id DESC);
CREATE INDEX dead_letters_expiry ON dead_letters (expires_at);
