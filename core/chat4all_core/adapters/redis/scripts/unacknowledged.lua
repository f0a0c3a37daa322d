-- What was announced up to a place and not acknowledged: conversation, sequence, … ARGV: epoch, offset.
local user = keys_of(1)
local state = find_stream(user, ARGV[1])
if not state then return {} end
local up_to = math.min(tonumber(ARGV[2]), state.head)
local notes, later = {}, {}
for conversation, value in pairs_of(user.trimmed) do
  local sequence, offset = parse_two(value)
  if offset <= up_to then note(notes, conversation, sequence, offset) end
end
for conversation, value in pairs_of(user.announced) do
  local sequence, offset = parse_two(value)
  if offset <= up_to then
    note(notes, conversation, sequence, offset)
  else
    later[conversation] = true
  end
end
-- Only of conversations that went on after the place must the events themselves be asked.
if next(later) then
  each_announcement(user.events, state.acked + 1, up_to, function(offset, conversation, sequence)
    if later[conversation] then note(notes, conversation, sequence, offset) end
  end)
end
local answer = {}
for conversation, noted in pairs(notes) do
  answer[#answer + 1] = conversation
  answer[#answer + 1] = int(noted[1])
end
return answer
