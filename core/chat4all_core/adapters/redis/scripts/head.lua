-- The epoch and the head of a user's stream. ARGV: token.
local state = open_stream(keys_of(1), current_life(), ARGV[1], {})
return {state.epoch, int(state.head)}
