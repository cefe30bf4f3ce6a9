// The charge script. A run tests and counts many charges, each on its own and in their order; what one of them cannot
// be counted for is its own trouble.
//
// Nearly every charge adds to counters that are all in their newest bucket (packed_numbers.h): that way is short, and
// the rest of the script (redis_counter_script.cpp, and for signs redis_sign_script.cpp) is not even made where no
// charge of a run needs it.
#include <string>

#include "policyd/store/redis_scripts.h"

namespace policyd {

namespace {

const std::string kSource = std::string(kCounterScript).append(kSignScript).append(R"lua(
local records, times = ARGV[1], ARGV[2]
local RECORD, RECORD_SIZE = '<BBdc8', 18
if #records % RECORD_SIZE ~= 0 then return redis.error_reply('ERR a record of charges is cut short') end
local CHARGES = #records / RECORD_SIZE
local DRY, MERGE, GIVE_BACK = 1, 2, 3  -- 0: tested and counted
local floor, max, min, find, sub, rep = math.floor, math.max, math.min, string.find, string.sub, string.rep
local numbers_of, octets_of, call, try = struct.unpack, struct.pack, redis.call, redis.pcall

local time = call('TIME')
local now = time[1] * 1000 + floor(time[2] / 1000)

-- Limits, as 2 * size numbers (meter and window of each), then the maximum of each; and how a state of just these
-- counters is read and written.
local lists = {}
local function read_limits(list)
  local octets = ARGV[list + 2]
  local size = (#octets - 16) / 24
  local limits = {numbers_of('<' .. rep('d', 3 * size), octets, 17)}
  local front = 16 + 16 * size
  limits.size, limits.front = size, sub(octets, 1, front)
  limits.header_at, limits.header, limits.header_end = front + 1, '<dd' .. rep('dd', size), front + 16 + 16 * size
  limits.last = limits.header_end - 1 .. ''  -- as GETRANGE counts
  limits.totals_at, limits.totals = front + 16 .. '', '<' .. rep('dd', size)
  lists[list] = limits
  return limits
end

local amounts = {}  -- what the charge at hand adds to each meter

-- Adds where the counters stand. False, with nothing changed, where they have to be made anew or a limit is in the way.
local function add_in_place(key, limits, at, mode)
  local packed = try('GETRANGE', key, '0', limits.last)  -- all of a busy account would be several times as much
  if type(packed) ~= 'string' or #packed ~= limits.header_end or find(packed, limits.front, 1, true) ~= 1 then
    return false
  end
  local header = {numbers_of(limits.header, packed, limits.header_at)}
  if not (header[1] <= at and now < header[2]) then return false end
  local size = limits.size
  for c = 1, size do
    local amount = amounts[limits[2 * c - 1]]
    if amount ~= 0 then
      local total = header[2 * c + 1] + amount
      if amount < 0 or (not (total <= limits[2 * size + c]) and mode <= DRY) then return false end
      header[2 * c + 1], header[2 * c + 2] = total, header[2 * c + 2] + amount
    end
  end
  if mode ~= DRY then
    call('SETRANGE', key, limits.totals_at, octets_of(limits.totals, unpack(header, 3)))
  end
  return true
end

local way
local stale = {}  -- keys that have been written to since they were read
local messages = #KEYS > CHARGES and call('MGET', unpack(KEYS, CHARGES + 1))  -- false: missing, or no string

-- What counts signs, made when a charge has some.
local signs_way
local function with_signs()
  signs_way = signs_way or sign_part({
    now = now, stale = stale,
    limits = function(list) return lists[list] or read_limits(list) end,
    long_way = function()
      way = way or long_way({now = now, amounts = amounts})
      return way
    end,
    fetched = function(key) return messages[key - CHARGES] end,
  })
  return signs_way
end

-- Nothing: passed; or the limit and the wait of a refusal.
local function charge(what, limits, at, mode, bytes, recipient, rate, message_key, message, signs)
  local settles = what % 2 == 1
  local remember = floor(what / 16) % 2 == 1 and '900000' or '3600000'
  if message_key and stale[message_key] then message = call('GET', message_key) end
  if message and (#message < 24 or #message % 8 ~= 0) then message = nil end
  if what % 64 >= 32 and not message then return end

  -- What the message has been charged (time of the first charge, recipients, bytes, and 8 octets of each recipient);
  -- what it should have been charged when this has passed; and so what is to be added.
  local since, had_messages, had_recipients, had_bytes, hashes = at, 0, 0, 0, ''
  if message then
    since, had_recipients, had_bytes = numbers_of('<ddd', message)
    had_messages, hashes = 1, sub(message, 25)
  end
  local recipients = had_recipients
  if settles then
    local accepted = numbers_of('<d', recipient)
    recipients = accepted > 0 and accepted or max(recipients, 1)
    if bytes == 0 then bytes = had_bytes end
  else
    local from, found = 1, nil
    if signs and signs.distinct then
      recipient = signs.recipient
      found = signs_way.in_message(hashes, recipient)
    else
      repeat
        found = find(hashes, recipient, from, true)
        from = (found or 0) + 1
      until not found or found % 8 == 1
    end
    local refused, wait
    if signs and not found then refused, wait = signs_way.test(signs, at, mode) end
    if refused then
      signs.refused = refused
      return refused + limits.size, wait
    end
    if not found then
      if signs and signs.new then
        recipient = sub(recipient, 1, 7) .. string.char(string.byte(recipient, 8) + 1)
      end
      recipients, hashes = recipients + 1, hashes .. recipient
    end
    bytes = max(bytes, had_bytes)
  end
  if mode == GIVE_BACK then
    amounts[1], amounts[2], amounts[3] = -had_messages, -had_recipients, -had_bytes
  else
    amounts[1], amounts[2], amounts[3] = 1 - had_messages, recipients - had_recipients, bytes - had_bytes
  end
  if amounts[1] == 0 and amounts[2] == 0 and amounts[3] == 0 then
    if message and mode ~= DRY then call('PEXPIRE', message_key, remember) end
    return
  end

  -- All limits are tested before anything is counted.
  local refused, wait
  if limits.size > 0 and not add_in_place(rate, limits, at, mode) then
    way = way or long_way({now = now, amounts = amounts})
    local ours, others = way.arrange(limits, try('GET', rate))
    if mode <= DRY then refused, wait = way.test(limits, ours) end
    if mode == DRY or (refused and not (settles and message)) then return refused, wait end
    -- A message refused at its end was not accepted at all: all of its charge goes back.
    if refused then
      amounts[1], amounts[2], amounts[3] = -had_messages, -had_recipients, -had_bytes
      if signs then signs_way.give_back(signs, hashes) end
    end
    way.count(ours, at, since)
    way.save(rate, limits, ours, others)
  end
  if message_key and mode ~= DRY then
    if refused or mode == GIVE_BACK then
      call('DEL', message_key)
    else
      call('SET', message_key, octets_of('<dddc0', since, recipients, bytes, hashes), 'PX', remember)
    end
    stale[message_key] = true
  end
  if signs and mode ~= DRY and not refused then
    if mode == GIVE_BACK then
      signs_way.give_back(signs, hashes)
    else
      local invalid = settles and had_recipients > recipients and had_recipients - recipients or 0
      signs_way.count(signs, at, signs_way.INVALID, invalid, true)
    end
  end
  return refused, wait
end

-- The same, the signs of the charge, and the one that is gone over (its limit and what its window holds), if any.
local function charge_signs(what, limits, at, mode, bytes, recipient, rate, message_key, message)
  local part = with_signs()
  local signs = part.open(mode)
  if what >= 128 then
    local meter, amount = numbers_of('<d', signs.recipient), numbers_of('<d', signs.network)
    if mode <= DRY or (mode == MERGE and what % 64 < 32) then
      if mode ~= DRY then part.count(signs, at, meter, amount, false) end
    end
    return nil, nil, signs, part.status(signs)
  end
  local refused, wait = charge(what, limits, at, mode, bytes, recipient, rate, message_key, message, signs)
  if signs.refused and limits.size > 0 then
    -- Of the limits that refuse, the one that takes longest is told.
    local dry = what - 2 * mode + 2 * DRY
    local also, longer = charge(dry, limits, at, DRY, bytes, recipient, rate, message_key, message)
    if also and (wait >= 0 and (longer < 0 or longer > wait)) then refused, wait = also, longer end
  end
  return refused, wait, signs, part.status(signs)
end

-- What the window of each limit holds.
local function held(key, limits)
  way = way or long_way({now = now, amounts = amounts})
  local totals = {}
  for c, counter in ipairs((way.arrange(limits, try('GET', key)))) do totals[c] = octets_of('<d', counter.total) end
  return table.concat(totals)
end

local outcomes, details, number, known = {}, {}, 0, 0
local function charge_the_rest()
  for at = number * RECORD_SIZE + 1, #records, RECORD_SIZE do
    number = number + 1  -- before anything can fail: what fails is not tried again
    local what, list, bytes, recipient = numbers_of(RECORD, records, at)
    local message_key, message
    if what % 16 >= 8 then
      known = known + 1
      message_key, message = KEYS[CHARGES + known], messages[known]
    end
    local limits, mode, at = lists[list] or read_limits(list), floor(what / 2) % 4, now
    if mode == MERGE then at = min(numbers_of('<d', times, 8 * number - 7), now) end
    local refused, wait, signs, sign, used
    if what >= 64 then
      refused, wait, signs, sign, used =
          charge_signs(what, limits, at, mode, bytes, recipient, KEYS[number], message_key, message)
    else
      refused, wait = charge(what, limits, at, mode, bytes, recipient, KEYS[number], message_key, message)
    end
    outcomes[number] = sign and (refused and 's' or 'S') or (refused and '-' or '+')
    if refused then
      local uses = held(KEYS[number], limits) .. (signs and held(signs.key, signs.limits) or '')
      details[#details + 1], details[#details + 2], details[#details + 3] = refused, wait, uses
    end
    if sign then details[#details + 1], details[#details + 2] = sign, used end
  end
end
repeat
  local done, trouble = pcall(charge_the_rest)
  if not done then
    outcomes[number], details[#details + 1] = '!', type(trouble) == 'table' and trouble.err or tostring(trouble)
  end
until done
return {table.concat(outcomes), unpack(details)}
)lua");

}  // namespace

const std::string_view kChargeScript = kSource;

}  // namespace policyd
