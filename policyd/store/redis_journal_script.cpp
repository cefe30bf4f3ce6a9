// See redis_scripts.h.
#include "policyd/store/redis_scripts.h"

namespace policyd {

// To its bound the stream is trimmed by whole nodes of it ("~"), which costs next to nothing. By age it can be trimmed
// since Redis 6.2: an earlier one refuses that, and keeps what is old until the bound is reached or all of it expires.
const std::string_view kAddJournalScript = R"lua(
local key, most, keep = KEYS[1], ARGV[1], tonumber(ARGV[2])
local kind = redis.call('TYPE', key).ok
if kind ~= 'stream' and kind ~= 'none' then redis.call('DEL', key) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Ids only grow: behind one that is far in the future no row would have its time, behind the last of all there is none.
if kind == 'stream' then
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  if last and tonumber(string.match(last[1], '^%d+')) > now + keep then redis.call('DEL', key) end
end
for i = 3, #ARGV, 3 do
  redis.call('XADD', key, 'MAXLEN', '~', most, '*', 'id', ARGV[i], 'node', ARGV[i + 1], 'entry', ARGV[i + 2])
end
local oldest = now - keep
redis.pcall('XTRIM', key, 'MINID', string.format('%.0f', oldest))
redis.call('PEXPIRE', key, ARGV[2])
return 1
)lua";

}  // namespace policyd
