// The Lua scripts of locks: see redis_scripts.h.
#include <string>

#include "policyd/store/redis_scripts.h"

namespace policyd {

namespace {

// What all of them begin with, behind the part of the charge script that makes counters anew.
constexpr std::string_view kPrelude = R"lua(
local lock, unlocks, history = KEYS[1], KEYS[2], KEYS[3]
local remembered, most, now = ARGV[1], ARGV[2], ARGV[3]
for key, kind in pairs({[lock] = 'hash', [unlocks] = 'string', [history] = 'stream'}) do
  local is = redis.call('TYPE', key).ok
  if is ~= kind and is ~= 'none' then redis.call('DEL', key) end
end
-- Of its own fields; what somebody else wrote beside them is not copied.
local OURS = {reason = true, evidence = true, since = true, ['until'] = true, unlocks = true, by = true, node = true}
local function read()
  local all, fields = redis.call('HGETALL', lock), {}
  for i = 1, #all, 2 do
    if OURS[all[i]] then fields[#fields + 1], fields[#fields + 2] = all[i], all[i + 1] end
  end
  if #all > 0 and #fields == 0 then fields = {'reason', ''} end
  return fields
end
local fields = read()
local function field(name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
  return ''
end
local function count_of(text) return string.match(text or '', '^%d+$') or '0' end
local function record(event, who)
  local entry = {unpack(fields)}
  for name, value in pairs({event = event, at = now, who = who}) do
    entry[#entry + 1], entry[#entry + 2] = name, value
  end
  redis.call('XADD', history, 'MAXLEN', most, '*', unpack(entry))
  redis.call('PEXPIRE', history, remembered)
end
-- As Lock::from_fields reads it.
local function is_over(text)
  local y, mo, d, h, mi, s = string.match(text, '^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)Z$')
  if not y then return false end
  local leap = y % 4 == 0 and (y % 100 ~= 0 or y % 400 == 0)
  local days = ({31, leap and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31})[tonumber(mo)]
  return days and tonumber(d) >= 1 and tonumber(d) <= days and tonumber(h) <= 23 and tonumber(mi) <= 59 and
         tonumber(s) <= 59 and text <= now
end
-- Of the account's counters those of mail stay.
local function forget_signs()
  redis.call('DEL', KEYS[5])
  local time = redis.call('TIME')
  local way = long_way({now = time[1] * 1000 + math.floor(time[2] / 1000), amounts = {}})
  local ours, all = way.arrange(way.none, redis.pcall('GET', KEYS[4]))
  local mail = {}
  for _, counter in ipairs(all) do
    if counter.meter <= 3 then mail[#mail + 1] = counter end
  end
  way.save(KEYS[4], way.none, ours, mail)
end
local ended = {}
if is_over(field('until')) then
  record('ended', '')
  redis.call('SET', unlocks, string.format('%.0f', count_of(field('unlocks')) + 1), 'PX', remembered)
  redis.call('DEL', lock)
  forget_signs()
  fields, ended = {}, fields
end
)lua";

constexpr std::string_view kLock = R"lua(
local ends, expires, most_unlocks, replace = ARGV[4], ARGV[5], ARGV[6], ARGV[7] == '1'
local made = #fields == 0 or replace
if made then
  local count = count_of(field('unlocks') ~= '' and field('unlocks') or redis.call('GET', unlocks) or '')
  redis.call('DEL', lock, unlocks)
  redis.call('HSET', lock, unpack(ARGV, 8))
  if count ~= '0' then redis.call('HSET', lock, 'unlocks', count) end
  if ends ~= '' and (most_unlocks == '' or tonumber(count) < tonumber(most_unlocks)) then
    redis.call('HSET', lock, 'until', ends)
    redis.call('PEXPIREAT', lock, expires)
  end
  fields = read()
  record('locked', field('by'))
end
return {made and 1 or 0, fields, redis.call('PTTL', lock), ended}
)lua";

constexpr std::string_view kUnlock = R"lua(
if #fields > 0 then record('lifted', ARGV[4]) end
redis.call('DEL', lock, unlocks)
forget_signs()
return {fields, ended}
)lua";

constexpr std::string_view kGone = R"lua(
local last = #fields == 0 and redis.call('XREVRANGE', history, '+', '-', 'COUNT', 1)[1]
if not last then return 0 end
local event
for i = 1, #last[2], 2 do
  if last[2][i] == 'event' then event = last[2][i + 1] end
  if OURS[last[2][i]] then fields[#fields + 1], fields[#fields + 2] = last[2][i], last[2][i + 1] end
end
if event ~= 'locked' then return 0 end
record('lifted', ARGV[4])
redis.call('DEL', unlocks)
forget_signs()
return 1
)lua";

constexpr std::string_view kEnd = R"lua(
return ended
)lua";

std::string whole(std::string_view script) {
  return std::string(kCounterScript).append(kPrelude).append(script);
}
const std::string kLockSource = whole(kLock), kUnlockSource = whole(kUnlock), kGoneSource = whole(kGone),
                  kEndSource = whole(kEnd);

}  // namespace

const std::string_view kLockScript = kLockSource;
const std::string_view kUnlockScript = kUnlockSource;
const std::string_view kLockGoneScript = kGoneSource;
const std::string_view kEndLockScript = kEndSource;

}  // namespace policyd
