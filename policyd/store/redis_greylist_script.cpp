// The greylist's Lua script: see redis_scripts.h.
#include "policyd/store/redis_scripts.h"

namespace policyd {

const std::string_view kGreylistScript = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local block, pass, record, auto_allow = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local message, dry_run = ARGV[5], ARGV[6] == '1'

-- How long ago; nothing where that is too long, or in the future: then the clock was set back.
local function age(at, longest)
  local passed = at and now - tonumber(at)
  return passed and passed >= 0 and passed <= longest and passed
end
local function keep(key, longest, form, ...)
  if not dry_run then redis.call('SET', key, string.format(form, ...), 'PX', string.format('%.0f', longest)) end
end

local values = redis.call('MGET', KEYS[1], KEYS[2])
local state, at, asked = string.match(values[2] or '', '^(%l+) (%d+) ?(%x*)$')
local count, last, counted = string.match(values[1] or '', '^(%d+) (%d+) ?(%x*)$')
count = age(last, record) and tonumber(count) or 0
local allowed = auto_allow > 0 and count >= auto_allow
if allowed then keep(KEYS[1], record, '%.0f %.0f %s', count, now, counted) end
if state == 'passed' and age(at, record) then
  keep(KEYS[2], record, 'passed %.0f', now)
  return {'known'}
end
if allowed then return {'allowed'} end

local waited = state == 'waiting' and age(at, pass)
if not waited then
  keep(KEYS[2], pass, 'waiting %.0f %s', now, message)
  return {'first', block, 0, now}
end
if waited < block then
  local repeated = message ~= '' and asked == message
  if not repeated then keep(KEYS[2], pass - waited, 'waiting %s %s', at, message) end
  return {'early', block - waited, repeated and 1 or 0, now - waited}
end
keep(KEYS[2], record, 'passed %.0f', now)
if auto_allow > 0 then
  if count == 0 or message == '' or counted ~= message then count = count + 1 end
  keep(KEYS[1], record, '%.0f %.0f %s', count, now, message)
end
return {'passed', 0, 0, now - waited}
)lua";

}  // namespace policyd
