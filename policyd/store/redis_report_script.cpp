// The Lua script of reports: see redis_scripts.h.
#include "policyd/store/redis_scripts.h"

namespace policyd {

const std::string_view kAddReportScript = R"lua(
if redis.call('TYPE', KEYS[1]).ok ~= 'string' then redis.call('DEL', KEYS[1]) end
if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local names, other = tonumber(ARGV[3]), ARGV[4]

local function numbers(text)
  local list = {}
  for number in string.gmatch(text or '', '%d+') do list[#list + 1] = tonumber(number) end
  return list
end

for i = 2, #KEYS do
  local kind = redis.call('TYPE', KEYS[i]).ok
  if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[i]) end
end
for i = 4 + #KEYS, #ARGV, 3 do
  local key, name, more = KEYS[tonumber(ARGV[i])], ARGV[i + 1], numbers(ARGV[i + 2])
  local known = redis.call('HGET', key, name)
  if not known and redis.call('HLEN', key) >= names then
    name = other
    known = redis.call('HGET', key, name)
  end
  local sum = numbers(known)
  for place = 1, math.max(#sum, #more) do
    sum[place] = string.format('%.0f', (sum[place] or 0) + (more[place] or 0))
  end
  redis.call('HSET', key, name, table.concat(sum, ' '))
end
for i = 2, #KEYS do redis.call('PEXPIREAT', KEYS[i], ARGV[i + 3]) end
return 1
)lua";

}  // namespace policyd
