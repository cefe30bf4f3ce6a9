#include "policyd/store/redis_scripts.h"

namespace policyd {

const std::string_view kHeartbeatScript = R"lua(
for key, kind in pairs({[KEYS[1]] = 'hash', [KEYS[2]] = 'string'}) do
  local is = redis.call('TYPE', key).ok
  if is ~= kind and is ~= 'none' then redis.call('DEL', key) end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local silence = tonumber(ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f|', now) .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], silence * 4)
local reply = {now}
local nodes = redis.call('HGETALL', KEYS[1])
for i = 1, #nodes, 2 do
  local seen = tonumber(string.match(nodes[i + 1], '^(%d+)|'))
  if not seen or seen < now - silence or seen > now + silence then
    redis.call('HDEL', KEYS[1], nodes[i])
  else
    reply[#reply + 1], reply[#reply + 2] = nodes[i], nodes[i + 1]
  end
end
redis.call('SET', KEYS[2], ARGV[4], 'NX')
redis.call('PEXPIRE', KEYS[2], 34560000000)
local elements = redis.pcall('GET', KEYS[2])
if type(elements) == 'string' then reply[#reply + 1] = elements end
return reply
)lua";

const std::string_view kPutBlockScript = R"lua(
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
if tonumber(ARGV[1]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1
)lua";

}  // namespace policyd
