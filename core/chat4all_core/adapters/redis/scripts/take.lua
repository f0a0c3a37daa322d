-- Take tokens from a bucket: how many were given, and, if none, after how many microseconds there is one.
-- The bucket is the time at which it will be full again. ARGV: tokens a second, size, tokens wanted.
local interval, size, wanted = 1000000 / tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local given = math.min(wanted, math.floor(size - (full_at - now) / interval + 0.000001))
if given < 1 then return {0, math.ceil(full_at - now - (size - 1) * interval)} end
full_at = full_at + given * interval
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', string.format('%.0f', (full_at - now) / 1000 + 1))
return {given, 0}
