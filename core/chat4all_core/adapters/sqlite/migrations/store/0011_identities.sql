-- Addresses on channels that users have proven to be theirs.
CREATE TABLE identities (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    user_id TEXT NOT NULL,
    linked_at INTEGER NOT NULL, -- microseconds
    PRIMARY KEY (channel, address)
) STRICT, WITHOUT ROWID;

CREATE INDEX identities_by_user ON identities (user_id);

-- Codes that were sent to addresses, the newest of each user and address.
CREATE TABLE link_codes (
    user_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    code_hash BLOB NOT NULL,
    expires_at INTEGER NOT NULL, -- microseconds
    tries_left INTEGER NOT NULL,
    PRIMARY KEY (user_id, channel, address)
) STRICT, WITHOUT ROWID;

CREATE INDEX link_codes_by_expiry ON link_codes (expires_at);
