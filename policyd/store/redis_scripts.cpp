#include "policyd/store/redis_scripts.h"

namespace policyd {

// The state is a row of numbers (packed_numbers.h), for each counter: meter, window, total, number of buckets, then bucket and count of each, by
// age. What has run out stands at the front, and in the usual case only the total and the last count change: that is why it is
// kept flat, and packed by `struct`, which is several times faster here than nested tables and MessagePack.
const std::string_view kChargeScript = R"lua(
local BUCKETS = 60
local floor, min, max, rep = math.floor, math.min, math.max, string.rep
local kind, mode = ARGV[1], ARGV[6]
local limits = {struct.unpack('<' .. rep('d', #ARGV[2] / 8), ARGV[2])}

local time = redis.call('TIME')
local now = time[1] * 1000 + floor(time[2] / 1000)
local at = now
if mode == 'merge' or mode == 'cancel' then at = min(tonumber(ARGV[7]), now) end

local packed, message
if KEYS[2] then
  local got = redis.call('MGET', KEYS[1], KEYS[2])
  packed, message = got[1], got[2]
else
  packed = redis.call('GET', KEYS[1])
end
local state, size = {}, 0
if packed and #packed % 8 == 0 then
  size = #packed / 8
  state = {struct.unpack('<' .. rep('d', size), packed)}
  state[size + 1] = nil
end
-- What somebody else wrote here is taken for nothing.
local header = 1
while header <= size do
  local meter, window, buckets = state[header], state[header + 1], state[header + 3]
  if not (buckets and buckets >= 1 and buckets % 1 == 0 and header + 3 + 2 * buckets <= size and window > 0 and
          (meter == 1 or meter == 2 or meter == 3)) then
    state, size = {}, 0
  else
    header = header + 4 + 2 * buckets
  end
end
if message and (#message < 24 or #message % 8 ~= 0) then message = nil end

-- What the message has been charged (time of the first charge, recipients, bytes, and 8 octets of each recipient); what it
-- should have been charged when this has passed; and so what is to be added.
local since, had_messages, had_recipients, had_bytes, hashes = at, 0, 0, 0, ''
if message then
  since, had_recipients, had_bytes = struct.unpack('<ddd', message)
  had_messages = 1
  hashes = string.sub(message, 25)
end
local recipients, bytes, is_new = had_recipients, tonumber(ARGV[5]), false
if kind == 'recipient' then
  local from, found = 1, nil
  repeat
    found = string.find(hashes, ARGV[3], from, true)
    from = (found or 0) + 1
  until not found or found % 8 == 1
  is_new = not found
  if is_new then recipients = recipients + 1 end
  bytes = max(bytes, had_bytes)
else
  local accepted = tonumber(ARGV[4])
  recipients = accepted > 0 and accepted or max(recipients, 1)
  if bytes == 0 then bytes = had_bytes end
end
local amounts = {1 - had_messages, recipients - had_recipients, bytes - had_bytes}
if mode == 'cancel' then amounts = {-had_messages, -had_recipients, -had_bytes} end
if amounts[1] == 0 and amounts[2] == 0 and amounts[3] == 0 then
  if message and mode ~= 'dry' then redis.call('PEXPIRE', KEYS[2], ARGV[8]) end
  return 1
end

-- Drops what has run out, what a clock that was set back left in the future, and counters with nothing in them.
local function compact()
  local fresh, n, position = {}, 0, 1
  while position <= size do
    local header, total, pairs_before = n, 0, state[position + 3]
    local current = floor(now * BUCKETS / state[position + 1])
    fresh[n + 1], fresh[n + 2] = state[position], state[position + 1]
    n = n + 4
    for i = position + 4, position + 2 + 2 * pairs_before, 2 do
      local bucket, count = state[i], state[i + 1]
      if count > 0 and bucket >= current - BUCKETS and bucket <= current + BUCKETS then
        fresh[n + 1], fresh[n + 2] = bucket, count
        n = n + 2
        total = total + count
      end
    end
    if total == 0 then
      fresh[header + 1], fresh[header + 2] = nil, nil
      n = header
    else
      fresh[header + 3], fresh[header + 4] = total, (n - header - 4) / 2
    end
    position = position + 4 + 2 * pairs_before
  end
  state, size = fresh, n
end

local position, longest = 1, 0
while position <= size do
  local window, buckets = state[position + 1], state[position + 3]
  local current = floor(now * BUCKETS / window)
  if state[position + 4] < current - BUCKETS or state[position + 2 + 2 * buckets] > current + BUCKETS then
    compact()
    break
  end
  position = position + 4 + 2 * buckets
end

local function find(meter, window)
  local header = 1
  while header <= size do
    if state[header + 1] == window and state[header] == meter then return header end
    header = header + 4 + 2 * state[header + 3]
  end
end

-- All limits are tested before anything is counted.
local refused, wait
if mode == '' or mode == 'dry' then
  for i = 1, #limits - 1, 3 do
    local meter, maximum, window = limits[i], limits[i + 1], limits[i + 2]
    local amount = amounts[meter]
    if amount > 0 then
      local header = find(meter, window)
      local used = header and state[header + 2] or 0
      if used + amount > maximum then
        if amount > maximum then
          refused, wait = (i - 1) / 3, -1
          break
        end
        local excess, until_ms, b = used + amount - maximum, now, header + 4
        while excess > 0 do
          excess = excess - state[b + 1]
          until_ms = math.ceil((state[b] + BUCKETS + 1) * window / BUCKETS)
          b = b + 2
        end
        local ms = max(until_ms - now, 1)
        if not wait or ms > wait then refused, wait = (i - 1) / 3, ms end
      end
    end
  end
end
if mode == 'dry' or (refused and (kind == 'recipient' or not message)) then
  if refused then return {refused, wait} end
  return 1
end
-- A message refused at its end was not accepted at all: all of its charge goes back.
if refused then amounts = {-had_messages, -had_recipients, -had_bytes} end

local function count(header, bucket, amount)
  state[header + 2] = state[header + 2] + amount
  local i = header + 4 + 2 * state[header + 3]
  while i > header + 4 and state[i - 2] > bucket do i = i - 2 end
  if i > header + 4 and state[i - 2] == bucket then
    state[i - 1] = state[i - 1] + amount
    return
  end
  table.insert(state, i, amount)
  table.insert(state, i, bucket)
  state[header + 3] = state[header + 3] + 1
  size = size + 2
end

-- From the oldest buckets, so that what remains counts rather longer than shorter.
local function give_back(header, amount)
  for i = header + 5, header + 3 + 2 * state[header + 3], 2 do
    local taken = min(state[i], amount)
    state[i] = state[i] - taken
    state[header + 2] = state[header + 2] - taken
    amount = amount - taken
  end
end

local given_back = false
for i = 1, #limits - 1, 3 do
  local meter, window = limits[i], limits[i + 2]
  local amount = amounts[meter]
  local oldest = floor(now * BUCKETS / window) - BUCKETS
  if amount > 0 then
    local bucket = floor(at * BUCKETS / window)
    if bucket >= oldest then
      local header = find(meter, window)
      if not header then
        header = size + 1
        state[header], state[header + 1], state[header + 2], state[header + 3] = meter, window, 0, 0
        size = size + 4
      end
      count(header, bucket, amount)
    end
  elseif amount < 0 and floor(since * BUCKETS / window) >= oldest then
    local header = find(meter, window)
    if header then
      give_back(header, -amount)
      given_back = true
    end
  end
end
if given_back then compact() end

if size == 0 then
  redis.call('DEL', KEYS[1])
else
  position = 1
  while position <= size do
    longest = max(longest, state[position + 1])
    position = position + 4 + 2 * state[position + 3]
  end
  redis.call('SET', KEYS[1], struct.pack('<' .. rep('d', size), unpack(state)), 'PX', floor(longest * 1.02) + 1)
end
if KEYS[2] then
  if refused or mode == 'cancel' then
    redis.call('DEL', KEYS[2])
  else
    if is_new then hashes = hashes .. ARGV[3] end
    redis.call('SET', KEYS[2], struct.pack('<ddd', since, recipients, bytes) .. hashes, 'PX', ARGV[8])
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
