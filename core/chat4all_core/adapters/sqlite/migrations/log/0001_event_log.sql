-- A topic never changes its partitions; another life of it is another generation.
CREATE TABLE topics (
    topic_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    generation INTEGER NOT NULL,
    partitions INTEGER NOT NULL
);

-- record_id = topic_id * 2^54 + partition * 2^44 + offset: one tree, each partition's records in order.
CREATE TABLE records (
    record_id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    headers TEXT, -- a JSON object, or NULL for none
    appended_at INTEGER NOT NULL -- microseconds
);

-- Every group that ever took part: what it has not committed is kept.
CREATE TABLE consumer_groups (
    topic_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (topic_id, name)
) WITHOUT ROWID;

CREATE TABLE committed_offsets (
    topic_id INTEGER NOT NULL,
    group_name TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (topic_id, group_name, partition)
) WITHOUT ROWID;

-- Written and emptied to learn whether writing works again after it failed.
CREATE TABLE write_probe (content BLOB NOT NULL);
