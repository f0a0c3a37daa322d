-- Make a conversation the newest activity of users who do not know it. ARGV: token, conversation.
local life = current_life()
for number = 1, #KEYS / KEYS_OF_USER do
  local user = keys_of(number)
  local state = open_stream(user, life, ARGV[1], {})
  if not redis.call('ZSCORE', user.active, ARGV[2]) then
    redis.call('ZADD', user.active, int(state.activity + 1), ARGV[2])
    redis.call('HSET', user.stream, 'activity', int(state.activity + 1))
  end
end
