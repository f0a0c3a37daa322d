-- What all scripts of user streams share. The keys of a user, of one slot, in this order:
--   1 stream    hash: epoch, life, head, acked, activity, known, floor, oldest, renewed, and for each source, which is
--               the name of its field, the last "OFFSET INDEX" that was taken
--   2 events    stream: an entry OFFSET-MILLISECONDS for each event that is kept, with one field, its blob
--   3 announced hash: conversation -> "SEQUENCE OFFSET", the highest announced sequence and its newest announcement
--               above `acked`
--   4 trimmed   hash: the same of those above `acked` whose events are no longer kept
--   5 active    sorted set: conversations by their last activity
-- `life` is the replication id under which the epoch began; `known` is 1 once `active` is known to be whole. Events
-- above `floor` are kept, the first of them is from `oldest` (ms), and they expire some time after `renewed` (ms).
local KEYS_OF_USER = 5
local FIRST_ACTIVITY = 4294967296  -- leaves room below for what is rebuilt later

-- The replication id: Redis takes a new one when it restarts and when a replica is promoted. A replica has its
-- master's, but may lag, so it is not even read from: a client may be left on a master that was demoted.
local function current_life()
  local information = redis.call('INFO', 'replication')
  if not string.find(information, 'role:master', 1, true) then
    error({err = 'READONLY not the master'})
  end
  return string.match(information, 'master_replid:(%x+)')
end

local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Lua's own conversion loses digits above 10^14.
local function int(number)
  return string.format('%d', number)
end

local function keys_of(user)
  local at = KEYS_OF_USER * (user - 1)
  return {stream = KEYS[at + 1], events = KEYS[at + 2], announced = KEYS[at + 3], trimmed = KEYS[at + 4],
          active = KEYS[at + 5]}
end

local function pairs_of(key)
  local flat, at = redis.call('HGETALL', key), -1
  return function()
    at = at + 2
    if flat[at] then return flat[at], flat[at + 1] end
  end
end

local function parse_two(value)
  local one, other = string.match(value, '^(%d+) (%d+)$')
  return tonumber(one), tonumber(other)
end

-- Note a message that was announced: the highest sequence, the newest place.
local function note(notes, conversation, sequence, offset)
  local known = notes[conversation]
  if known then
    known[1], known[2] = math.max(known[1], sequence), math.max(known[2], offset)
  else
    notes[conversation] = {sequence, offset}
  end
end

-- Add notes to those of a hash of a user.
local function merge_notes(key, notes)
  local names = {}
  for conversation in pairs(notes) do names[#names + 1] = conversation end
  for from = 1, #names, 1000 do
    local to = math.min(from + 999, #names)
    local values = redis.call('HMGET', key, unpack(names, from, to))
    local args = {}
    for i = from, to do
      local conversation, value = names[i], values[i - from + 1]
      if value then note(notes, conversation, parse_two(value)) end
      local noted = notes[conversation]
      args[#args + 1] = conversation
      args[#args + 1] = int(noted[1]) .. ' ' .. int(noted[2])
    end
    redis.call('HSET', key, unpack(args))
  end
end

-- Call back with (offset, conversation, sequence) for the events of a range that announce a message.
local function each_announcement(events, from, to, visit)
  while from <= to do
    local entries = redis.call('XRANGE', events, int(from), int(to), 'COUNT', 100)
    if #entries == 0 then return end
    for _, entry in ipairs(entries) do
      local offset = tonumber(string.match(entry[1], '^%d+'))
      local blob = entry[2][2]
      local _, length, sequence, at = struct.unpack('>I4I2I8', blob)
      if sequence > 0 then visit(offset, string.sub(blob, at, at + length - 1), sequence) end
      from = offset + 1
    end
  end
end

-- Drop a user's events up to a place, noting what they announce that was not acknowledged.
local function trim(user, state, up_to)
  local notes = {}
  each_announcement(user.events, state.acked + 1, up_to, function(offset, conversation, sequence)
    note(notes, conversation, sequence, offset)
  end)
  merge_notes(user.trimmed, notes)
  redis.call('XTRIM', user.events, 'MINID', int(up_to + 1))
  state.floor = up_to
end

-- Drop all events, or note that they are gone.
local function trim_all(user, state)
  redis.call('DEL', user.events)
  state.floor = state.head
  local notes = {}
  for conversation, value in pairs_of(user.announced) do
    local sequence, offset = parse_two(value)
    note(notes, conversation, sequence, offset)
  end
  merge_notes(user.trimmed, notes)
end

-- What a user's stream knows of itself, to be written to. One from another
-- life begins a new epoch: the last events of the old one may be lost, and with them what was introduced.
local function open_stream(user, life, token, sources)
  local values = redis.call('HMGET', user.stream, 'epoch', 'life', 'head', 'acked', 'activity', 'known', 'floor',
    'oldest', 'renewed', unpack(sources))
  local state = {
    epoch = values[1], head = tonumber(values[3]) or 0, acked = tonumber(values[4]) or 0,
    activity = tonumber(values[5]) or FIRST_ACTIVITY, known = values[6], floor = tonumber(values[7]) or 0,
    oldest = tonumber(values[8]) or 0, renewed = tonumber(values[9]) or 0, taken = {},
  }
  for i, source in ipairs(sources) do
    if values[9 + i] then state.taken[source] = {parse_two(values[9 + i])} end
  end
  if state.epoch and values[2] == life then return state end
  if state.epoch then
    trim_all(user, state)
    state.known = state.known and '0'
  else
    redis.call('DEL', user.events, user.announced, user.trimmed, user.active)
  end
  -- With the time, so that not even a script that a client sends again makes an epoch twice.
  local time = redis.call('TIME')
  state.epoch = string.format('%s%x%05x', token, time[1], time[2])
  redis.call('HSET', user.stream, 'epoch', state.epoch, 'life', life, 'head', int(state.head), 'floor',
    int(state.floor))
  if state.known then redis.call('HSET', user.stream, 'known', state.known) end
  return state
end

-- Head and acknowledged place of a user's stream if an epoch is its present one, else nothing.
local function find_stream(user, epoch)
  local values = redis.call('HMGET', user.stream, 'epoch', 'life', 'head', 'acked')
  if values[1] == epoch and values[2] == current_life() then
    return {head = tonumber(values[3]), acked = tonumber(values[4]) or 0}
  end
end
