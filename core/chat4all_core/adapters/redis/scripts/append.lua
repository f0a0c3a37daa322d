-- Append events to the streams of users, and publish them.
-- ARGV: token, most events, oldest age (ms), number of appends; of each append its source, offset, index, conversation,
-- sequence and blob; of each user the number of its appends, and their numbers from 0.
local token, max_events, max_age, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local life, now = current_life(), milliseconds()
local stamp = '-' .. int(now)
local slack = math.min(64, math.floor(max_events / 10))

local appends, sources, seen = {}, {}, {}
for i = 0, count - 1 do
  local at = 5 + 6 * i
  local source = ARGV[at]
  appends[i] = {source = source, offset = tonumber(ARGV[at + 1]), index = tonumber(ARGV[at + 2]),
    conversation = ARGV[at + 3], sequence = tonumber(ARGV[at + 4]), blob = ARGV[at + 5]}
  if not seen[source] then
    seen[source] = true
    sources[#sources + 1] = source
  end
end

local function is_newer(append, taken)
  return not taken or append.offset > taken[1] or (append.offset == taken[1] and append.index > taken[2])
end

local function add(user, state, from, to)
  local blobs, notes, active, changed = {}, {}, {}, {}
  for i = from, to do
    local append = appends[tonumber(ARGV[i])]
    local taken = state.taken[append.source]
    if is_newer(append, taken) then
      state.head, state.activity = state.head + 1, state.activity + 1
      redis.call('XADD', user.events, int(state.head) .. stamp, 'e', append.blob)
      blobs[#blobs + 1] = append.blob
      state.taken[append.source] = {append.offset, append.index}
      changed[append.source] = true
      active[append.conversation] = state.activity
      if append.sequence > 0 then note(notes, append.conversation, append.sequence, state.head) end
    end
  end
  return blobs, notes, active, changed
end

-- Sequences of a conversation grow, so the last one is the highest.
local function store_notes(key, notes)
  local values = {}
  for conversation, noted in pairs(notes) do
    values[#values + 1] = conversation
    values[#values + 1] = int(noted[1]) .. ' ' .. int(noted[2])
  end
  if #values > 0 then redis.call('HSET', key, unpack(values)) end
end

local function store(user, state, fields, active, changed)
  local scores = {}
  for conversation, activity in pairs(active) do
    scores[#scores + 1] = int(activity)
    scores[#scores + 1] = conversation
  end
  redis.call('ZADD', user.active, unpack(scores))
  for source in pairs(changed) do
    local taken = state.taken[source]
    fields[#fields + 1] = source
    fields[#fields + 1] = int(taken[1]) .. ' ' .. int(taken[2])
  end
  redis.call('HSET', user.stream, 'head', int(state.head), 'activity', int(state.activity), unpack(fields))
end

local function trim_old(user, state)
  local last
  for _, entry in ipairs(redis.call('XRANGE', user.events, '-', '+', 'COUNT', 64)) do
    local offset, time = string.match(entry[1], '^(%d+)-(%d+)$')
    state.oldest = tonumber(time)
    if state.oldest >= now - max_age then break end
    last = tonumber(offset)
  end
  if last then trim(user, state, last) end
end

-- Trim what is too much or too old; the fields that changed by that.
local function keep_bounds(user, state)
  local floor, oldest, fields = state.floor, state.oldest, {}
  if state.head - floor > max_events + slack then trim(user, state, state.head - max_events) end
  if oldest < now - max_age then trim_old(user, state) end
  if state.floor ~= floor or state.oldest ~= oldest then
    fields = {'floor', int(state.floor), 'oldest', int(state.oldest)}
  end
  return fields
end

-- A stream to which nothing is appended any more goes by itself. Renewed not each time, for that costs.
local renewal = math.floor(max_age / 16)

local function begin_if_gone(user, state)
  if state.renewed + max_age + renewal > now and state.floor < state.head then return end
  trim_all(user, state)
  state.oldest, state.renewed = now, 0
  redis.call('HSET', user.stream, 'floor', int(state.floor), 'oldest', int(now))
end

local function renew(user, state, fields)
  if state.renewed + renewal > now then return end
  redis.call('PEXPIRE', user.events, int(max_age + renewal))
  fields[#fields + 1] = 'renewed'
  fields[#fields + 1] = int(now)
end

local at = 5 + 6 * count
for number = 1, #KEYS / KEYS_OF_USER do
  local user, mine = keys_of(number), tonumber(ARGV[at])
  local state = open_stream(user, life, token, sources)
  local first = state.head + 1
  begin_if_gone(user, state)
  local blobs, notes, active, changed = add(user, state, at + 1, at + mine)
  if #blobs > 0 then
    local fields = keep_bounds(user, state)
    renew(user, state, fields)
    store_notes(user.announced, notes)
    store(user, state, fields, active, changed)
    redis.call('PUBLISH', user.stream, state.epoch .. ' ' .. int(first) .. '\n' .. table.concat(blobs))
  end
  at = at + mine + 1
end
