-- People on channels who have written to us, or to whom we have written.
CREATE TABLE contacts (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    account TEXT, -- of ours, that the person wrote to last
    conversation_id TEXT, -- where what the person writes belongs
    display_name TEXT NOT NULL DEFAULT '',
    last_received_at INTEGER, -- microseconds, by the channel's clock
    PRIMARY KEY (channel, address)
) STRICT, WITHOUT ROWID;
