-- Add the conversations of a user that were lost, oldest activity first. ARGV: token, conversations.
local user = keys_of(1)
local state = open_stream(user, current_life(), ARGV[1], {})
if state.known == '1' then return end
local missing = {}
for i = 2, #ARGV do
  if not redis.call('ZSCORE', user.active, ARGV[i]) then missing[#missing + 1] = ARGV[i] end
end
local lowest = redis.call('ZRANGE', user.active, 0, 0, 'WITHSCORES')[2]
-- Where all was lost, what is there came after. Where the last moments were lost, so was but what is newest.
local base = state.activity
if lowest and not state.known then
  base = tonumber(lowest) - #missing - 1
else
  state.activity = state.activity + #missing
end
for i, conversation in ipairs(missing) do redis.call('ZADD', user.active, int(base + i), conversation) end
redis.call('HSET', user.stream, 'known', '1', 'activity', int(state.activity))
