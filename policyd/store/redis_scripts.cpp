#include "policyd/store/redis_scripts.h"

namespace policyd {

// The state is an array of counters, each {meter, window, total, bucket, count, bucket, count, ...}, buckets by age. What has run out
// stands at the front, so that neither ageing nor testing has to look at the rest.
const std::string_view kChargeScript = R"lua(
local BUCKETS = 60
local floor, min, max = math.floor, math.min, math.max
local kind, limits, mode = ARGV[1], cmsgpack.unpack(ARGV[2]), ARGV[6]

local time = redis.call('TIME')
local now = time[1] * 1000 + floor(time[2] / 1000)
local at = now
if mode == 'merge' then at = min(tonumber(ARGV[7]), now) end

local got = redis.call('MGET', unpack(KEYS))
local state, message = got[1] and cmsgpack.unpack(got[1]) or {}, got[2]

-- What the message has been charged: time of the first charge, recipients, bytes, and 8 octets of each recipient.
local since, had_messages, had_recipients, had_bytes, hashes = at, 0, 0, 0, ''
if message then
  since, had_recipients, had_bytes = struct.unpack('>I8I4I8', message)
  had_messages = 1
  hashes = string.sub(message, 21)
end

local function knows(hash)
  local from = 1
  while true do
    local found = string.find(hashes, hash, from, true)
    if not found then return false end
    if found % 8 == 1 then return true end
    from = found + 1
  end
end

-- What it should have been charged when this has passed, and so what is to be added.
local recipients, bytes = had_recipients, tonumber(ARGV[5])
local is_new = false
if kind == 'recipient' then
  is_new = not message or not knows(ARGV[3])
  if is_new then recipients = recipients + 1 end
  bytes = max(bytes, had_bytes)
else
  local accepted = tonumber(ARGV[4])
  recipients = accepted > 0 and accepted or max(recipients, 1)
  if bytes == 0 then bytes = had_bytes end
end
local amounts = {1 - had_messages, recipients - had_recipients, bytes - had_bytes}
if amounts[1] == 0 and amounts[2] == 0 and amounts[3] == 0 then return 1 end

-- What has run out is dropped, and what a clock that was set back left in the future.
local longest = 0
for j = 1, #state do
  local counter = state[j]
  local current, n = floor(now * BUCKETS / counter[2]), #counter
  local alive = 4
  while alive < n and counter[alive] < current - BUCKETS do
    counter[3] = counter[3] - counter[alive + 1]
    alive = alive + 2
  end
  if alive > 4 then
    for i = alive, n do counter[i - alive + 4] = counter[i] end
    for i = n - alive + 5, n do counter[i] = nil end
    n = n - alive + 4
  end
  while n > 4 and counter[n - 1] > current + BUCKETS do
    counter[3] = counter[3] - counter[n]
    counter[n], counter[n - 1] = nil, nil
    n = n - 2
  end
  longest = max(longest, counter[2])
end

-- All limits are tested before anything is counted.
local counters = {}
local refused, wait
for i = 1, #limits, 3 do
  local meter, maximum, window = limits[i], limits[i + 1], limits[i + 2]
  local counter
  for j = 1, #state do
    if state[j][2] == window and state[j][1] == meter then counter = state[j] end
  end
  counters[i] = counter
  local amount = amounts[meter]
  local used = counter and counter[3] or 0
  if amount > 0 and used + amount > maximum and mode ~= 'merge' then
    if amount > maximum then
      refused, wait = (i - 1) / 3, -1
      break
    end
    local excess, until_ms = used + amount - maximum, now
    for b = 4, #counter, 2 do
      if excess <= 0 then break end
      excess = excess - counter[b + 1]
      until_ms = math.ceil((counter[b] + BUCKETS + 1) * window / BUCKETS)
    end
    local ms = max(until_ms - now, 1)
    if not wait or ms > wait then refused, wait = (i - 1) / 3, ms end
  end
end
if mode == 'dry' or (refused and (kind == 'recipient' or not message)) then
  if refused then return {refused, wait} end
  return 1
end
-- A message refused at its end was not accepted at all: all of its charge goes back.
if refused then amounts = {-had_messages, -had_recipients, -had_bytes} end

local function count(counter, bucket, amount)
  local n = #counter
  counter[3] = counter[3] + amount
  if n > 3 and counter[n - 1] == bucket then
    counter[n] = counter[n] + amount
    return
  end
  local i = n + 1
  while i > 4 and counter[i - 2] > bucket do i = i - 2 end
  if i > 4 and counter[i - 2] == bucket then
    counter[i - 1] = counter[i - 1] + amount
  elseif i > n then
    counter[i], counter[i + 1] = bucket, amount
  else
    table.insert(counter, i, amount)
    table.insert(counter, i, bucket)
  end
end

-- From the oldest buckets, so that what remains counts rather longer than shorter.
local function give_back(counter, amount)
  for i = 5, #counter, 2 do
    local taken = min(counter[i], amount)
    counter[i] = counter[i] - taken
    counter[3] = counter[3] - taken
    amount = amount - taken
  end
end

for i = 1, #limits, 3 do
  local meter, window, counter = limits[i], limits[i + 2], counters[i]
  local amount, oldest = amounts[meter], floor(now * BUCKETS / window) - BUCKETS
  if amount > 0 then
    local bucket = floor(at * BUCKETS / window)
    if bucket >= oldest then
      if not counter then
        counter = {meter, window, 0}
        state[#state + 1] = counter
        longest = max(longest, window)
      end
      count(counter, bucket, amount)
    end
  elseif amount < 0 and counter and floor(since * BUCKETS / window) >= oldest then
    give_back(counter, -amount)
  end
end

for j = #state, 1, -1 do
  if state[j][3] == 0 then table.remove(state, j) end
end
if #state == 0 then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], cmsgpack.pack(state), 'PX', longest + math.ceil(longest / BUCKETS))
end
if KEYS[2] then
  if refused then
    redis.call('DEL', KEYS[2])
  else
    if is_new then hashes = hashes .. ARGV[3] end
    redis.call('SET', KEYS[2], struct.pack('>I8I4I8', since, recipients, bytes) .. hashes, 'PX', ARGV[8])
  end
end
if refused then return {refused, wait} end
return 1
)lua";

const std::string_view kHeartbeatScript = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local silence = tonumber(ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f|', now) .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], silence * 4)
local reply = {now}
local nodes = redis.call('HGETALL', KEYS[1])
for i = 1, #nodes, 2 do
  local seen = tonumber(string.match(nodes[i + 1], '^(%d+)|'))
  if not seen or seen < now - silence then
    redis.call('HDEL', KEYS[1], nodes[i])
  else
    reply[#reply + 1], reply[#reply + 2] = nodes[i], nodes[i + 1]
  end
end
return reply
)lua";

const std::string_view kPutBlockScript = R"lua(
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
if tonumber(ARGV[1]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1
)lua";

}  // namespace policyd
