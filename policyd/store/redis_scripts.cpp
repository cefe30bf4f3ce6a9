#include "policyd/store/redis_scripts.h"

namespace policyd {

const std::string_view kChargeScript = R"lua(
local kind, mode = ARGV[1], ARGV[6]
local limits = cmsgpack.unpack(ARGV[2])
local BUCKETS = 60
local floor = math.floor

local time = redis.call('TIME')
local now = time[1] * 1000 + floor(time[2] / 1000)
local at = now
if mode == 'merge' then at = math.min(tonumber(ARGV[7]), now) end

local state, message
if KEYS[2] then
  local got = redis.call('MGET', KEYS[1], KEYS[2])
  state, message = got[1], got[2]
else
  state = redis.call('GET', KEYS[1])
end
state = state and cmsgpack.unpack(state) or {}

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

-- What it should have been charged when this has passed.
local recipients, bytes = had_recipients, had_bytes
local is_new = false
if kind == 'recipient' then
  is_new = not knows(ARGV[3])
  if is_new then recipients = recipients + 1 end
  bytes = math.max(bytes, tonumber(ARGV[5]))
else
  local accepted, size = tonumber(ARGV[4]), tonumber(ARGV[5])
  if accepted > 0 then recipients = accepted else recipients = math.max(recipients, 1) end
  if size > 0 then bytes = size end
end
local amounts = {1 - had_messages, recipients - had_recipients, bytes - had_bytes}
if amounts[1] == 0 and amounts[2] == 0 and amounts[3] == 0 then return 1 end

-- Where each counter stands in the state: meter * 2^40 + window -> position of its header.
local where = {}
local position, size = 1, #state
while position <= size do
  where[state[position] * 1099511627776 + state[position + 1]] = position
  position = position + 3 + 2 * state[position + 2]
end

-- All limits are tested before anything is counted.
local refused, wait
if mode ~= 'merge' then
  for i = 1, #limits, 3 do
    local meter, maximum, window = limits[i], limits[i + 1], limits[i + 2]
    local amount = amounts[meter]
    if amount > 0 then
      local current = floor(now * BUCKETS / window)
      local header = where[meter * 1099511627776 + window]
      local sum, first, last = 0, 0, -1
      if header then
        first, last = header + 3, header + 1 + 2 * state[header + 2]
        for b = first, last, 2 do
          local bucket = state[b]
          if bucket >= current - BUCKETS and bucket <= current + BUCKETS then sum = sum + state[b + 1] end
        end
      end
      if sum + amount > maximum then
        if amount > maximum then
          refused, wait = (i - 1) / 3, -1
          break
        end
        local excess, until_ms = sum + amount - maximum, now
        for b = first, last, 2 do
          if excess <= 0 then break end
          local bucket = state[b]
          if bucket >= current - BUCKETS and bucket <= current + BUCKETS then
            excess = excess - state[b + 1]
            until_ms = math.ceil((bucket + BUCKETS + 1) * window / BUCKETS)
          end
        end
        local ms = math.max(until_ms - now, 1)
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

local out, n, longest = {}, 0, 0
local function rewrite(header, meter, window, amount)
  local current = floor(now * BUCKETS / window)
  if amount < 0 and floor(since * BUCKETS / window) < current - BUCKETS then amount = 0 end
  local start = n
  out[n + 1], out[n + 2] = meter, window
  n = n + 3
  local bucket = floor(at * BUCKETS / window)
  local add = amount > 0 and bucket >= current - BUCKETS and amount or 0
  if header then
    for b = header + 3, header + 1 + 2 * state[header + 2], 2 do
      local age, count = state[b], state[b + 1]
      if age >= current - BUCKETS and age <= current + BUCKETS then
        if add > 0 and age >= bucket then
          if age == bucket then
            count = count + add
          else
            out[n + 1], out[n + 2] = bucket, add
            n = n + 2
          end
          add = 0
        end
        if amount < 0 then
          local taken = math.min(count, -amount)
          count = count - taken
          amount = amount + taken
        end
        if count > 0 then
          out[n + 1], out[n + 2] = age, count
          n = n + 2
        end
      end
    end
  end
  if add > 0 then
    out[n + 1], out[n + 2] = bucket, add
    n = n + 2
  end
  if n == start + 3 then
    out[start + 1], out[start + 2] = nil, nil
    n = start
  else
    out[start + 3] = (n - start - 3) / 2
    if window > longest then longest = window end
  end
end

local wanted = {}
for i = 1, #limits, 3 do wanted[limits[i] * 1099511627776 + limits[i + 2]] = true end
position = 1
while position <= size do
  local meter, window = state[position], state[position + 1]
  -- Counters of windows that these limits do not know (another node's configuration) go on as they are.
  rewrite(position, meter, window, wanted[meter * 1099511627776 + window] and amounts[meter] or 0)
  position = position + 3 + 2 * state[position + 2]
end
for i = 1, #limits, 3 do
  local meter, window = limits[i], limits[i + 2]
  if not where[meter * 1099511627776 + window] then rewrite(nil, meter, window, amounts[meter]) end
end

if n == 0 then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], cmsgpack.pack(out), 'PX', longest + math.ceil(longest / BUCKETS))
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
