-- Forget what was announced up to a place. ARGV: epoch, offset.
local user = keys_of(1)
local state = find_stream(user, ARGV[1])
if not state then return end
local up_to = math.min(tonumber(ARGV[2]), state.head)
if up_to <= state.acked then return end
redis.call('HSET', user.stream, 'acked', int(up_to))
for _, key in ipairs({user.announced, user.trimmed}) do
  for conversation, value in pairs_of(key) do
    local _, offset = parse_two(value)
    if offset <= up_to then redis.call('HDEL', key, conversation) end
  end
end
