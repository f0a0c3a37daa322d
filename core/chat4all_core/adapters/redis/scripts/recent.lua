-- Conversations by activity: whether they are known to be all, then conversation, activity, …
-- ARGV: the activity to begin at, limit.
local user = keys_of(1)
local values = redis.call('HMGET', user.stream, 'life', 'known')
local found = redis.call('ZRANGE', user.active, ARGV[1], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[2], 'WITHSCORES')
local whole = values[1] == current_life() and values[2] == '1'
return {whole and 1 or 0, found}
