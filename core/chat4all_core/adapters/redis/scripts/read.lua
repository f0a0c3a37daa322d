-- The blobs of the events after a place; 'EPOCH' or 'LOST' if they can't be given. ARGV: epoch, offset, limit.
local user = keys_of(1)
local state = find_stream(user, ARGV[1])
if not state then return 'EPOCH' end
local after = tonumber(ARGV[2])
if after == state.head then return {} end
if after > state.head then return 'LOST' end
local blobs, last = {}, after
for _, entry in ipairs(redis.call('XRANGE', user.events, int(after + 1), '+', 'COUNT', ARGV[3])) do
  local offset = tonumber(string.match(entry[1], '^%d+'))
  if offset ~= last + 1 then return 'LOST' end
  blobs[#blobs + 1], last = entry[2][2], offset
end
if #blobs == 0 then return 'LOST' end
return blobs
