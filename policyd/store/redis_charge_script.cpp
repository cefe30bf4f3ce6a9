// The charge script. A run tests and counts many charges, each on its own and in their order; what one of them cannot
// be counted for is its own trouble.
//
// Nearly every charge adds to counters that are all in their newest bucket (packed_numbers.h): that way is short, and
// the rest of the script (redis_counter_script.cpp, and for elements redis_element_script.cpp) is not even made where
// no charge of a run needs it.
#include <string>

#include "policyd/store/redis_scripts.h"

namespace policyd {

namespace {

const std::string kSource = std::string(kCounterScript).append(kElementScript).append(R"lua(
local records, times, networks = ARGV[1], ARGV[2], ARGV[3]
local RECORD, RECORD_SIZE, NETWORK_SIZE, LISTS = '<BBdc8', 18, 8, 3
if #records % RECORD_SIZE ~= 0 then return redis.error_reply('ERR a record of charges is cut short') end
local CHARGES, WITH_ELEMENTS = #records / RECORD_SIZE, #networks / NETWORK_SIZE
local LIVE, DRY, MERGE, GIVE_BACK = 0, 1, 2, 3
local WHOLE = 9007199254740992  -- 2^53: numbers below it are whole ones exactly
local NOBODY = string.rep('\0', 8)
local MAIL, DISTINCT, NETWORKS, INVALID, LAST = 3, 4, 5, 6, 8  -- meters: 1 to MAIL are limits of mail, others of signs
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local find, sub, rep = string.find, string.sub, string.rep
local numbers_of, octets_of, call, try = struct.unpack, struct.pack, redis.call, redis.pcall

local time = call('TIME')
local now = time[1] * 1000 + floor(time[2] / 1000)

-- Limits, and how a state of just these counters is read and written. `testing`: what can refuse, in the order in which
-- it is tested; `distinct` and `networks`: the counters of elements; `groups`: the meters, each once.
local lists = {}
local function read_limits(list)
  local octets = ARGV[list + LISTS]
  local size = (#octets - 16) / 24
  local numbers = {numbers_of('<' .. rep('d', 3 * size), octets, 17)}
  local limits = {size = size, mail = 0, meters = {}, windows = {}, maxima = {}, testing = {}, longest = 0, groups = {}}
  local counters, known = {[DISTINCT] = {}, [NETWORKS] = {}}, {}
  for c = 1, size do
    local meter, window = numbers[2 * c - 1], numbers[2 * c]
    limits.meters[c], limits.windows[c], limits.maxima[c] = meter, window, numbers[2 * size + c]
    if meter <= MAIL then limits.mail = c end
    if not known[meter] then table.insert(limits.groups, meter) end
    known[meter] = true
    if counters[meter] then
      table.insert(counters[meter], c)
      limits.longest = max(limits.longest, window)
    end
  end
  for meter = DISTINCT, NETWORKS do
    for _, c in ipairs(counters[meter]) do table.insert(limits.testing, c) end
  end
  for c = 1, limits.mail do table.insert(limits.testing, c) end
  limits.distinct = #counters[DISTINCT] > 0 and counters[DISTINCT]
  limits.networks = #counters[NETWORKS] > 0 and counters[NETWORKS]
  local groups = #limits.groups
  limits.form = sub(octets, 1, 8)
  limits.front, limits.names = sub(octets, 1, 16), octets_of('<d', size) .. sub(octets, 17, 16 + 16 * size)
  limits.header, limits.header_end, limits.room = '<ddc8d' .. rep('d', 2 * groups), 48 + 16 * groups, 4 + groups
  limits.last = limits.header_end - 1 .. ''  -- as GETRANGE counts
  limits.added, limits.noting = '<' .. rep('d', groups), '<c8d' .. rep('d', groups)
  lists[list] = limits
  return limits
end

local amounts = {}  -- what the charge at hand adds to each meter
for meter = 1, LAST do amounts[meter] = 0 end

-- The network that the charge at hand comes from, once it is certain to count in the bucket of now. While a state has
-- it, it needs no look at the account's elements.
local noted

-- The numbers that can be added to where they stand; false where they have to be made anew. And whether there is no
-- state that they could be made from.
local function header_of(key, limits, at)
  local packed = try('GETRANGE', key, '0', limits.last)  -- all of a busy account would be several times as much
  if type(packed) ~= 'string' or #packed ~= limits.header_end then
    return false, type(packed) ~= 'string' or sub(packed, 1, 8) ~= limits.form
  end
  if sub(packed, 1, 16) ~= limits.front then return false end
  local header = {numbers_of(limits.header, packed, 17)}
  return header[1] <= at and now < header[2] and header
end

-- Adds where the numbers stand, once for all windows of a meter. False, with nothing changed, where a limit is in the
-- way, a sign is gone over or something goes back. True: and whether it was the first sign since they were made.
local function add_in_place(key, limits, header, tests)
  local groups, room, changes, first = limits.groups, limits.room, false, false
  for g = 1, #groups do
    local meter, added = groups[g], header[4 + g]
    local amount = amounts[meter]
    if amount ~= 0 then
      if amount < 0 then return false end
      first, changes = first or (added == 0 and meter > MAIL), true
      added = added + amount
      header[4 + g] = added
    end
    if not (added <= header[room + g]) and (meter > MAIL or (tests and amount ~= 0)) then return false end
  end
  if changes and noted and header[3] ~= noted then
    header[3] = noted
    call('SETRANGE', key, '32', octets_of(limits.noting, unpack(header, 3, room)))
  elseif changes then
    call('SETRANGE', key, '48', octets_of(limits.added, unpack(header, 5, room)))
  end
  return true, first
end

-- Whether all hashes of elements that this run may write to were there when it began.
local all_there
local function all_exist()
  if all_there == nil then
    all_there = call('EXISTS', unpack(KEYS, #KEYS - WITH_ELEMENTS + 1)) == WITH_ELEMENTS
  end
  return all_there
end

-- What is made once a charge needs it.
local elements, way
local function with_elements()
  elements = elements or element_part({now = now, amounts = amounts, all_exist = all_exist})
  return elements
end
local function with_way()
  local function network() return noted or NOBODY end
  way = way or long_way({now = now, amounts = amounts, elements = with_elements, network = network})
  return way
end

-- Which sign is gone over (from 0), and what its window holds.
local function sign_over(limits, ours)
  for c = limits.mail + 1, limits.size do
    if ours[c].total > limits.maxima[c] then return c - 1, ours[c].total end
  end
end

-- What the window of each limit holds.
local function uses_of(ours)
  local totals = {}
  for c, counter in ipairs(ours) do totals[c] = octets_of('<d', counter.total) end
  return table.concat(totals)
end

-- Adds however the counters stand. `charged`: what its message has been charged, which all goes back where this refuses
-- (else nil). Nothing: passed; or the limit, the wait and the uses of a refusal. Then the sign that is gone over, if
-- any (from 0), and what its window holds.
local function add_anew(key, limits, at, since, mode, charged)
  local way = with_way()
  local ours, others = way.arrange(limits, try('GET', key))
  local adds, moves = way.shares_of(limits, at)
  local refused, wait, by_elements
  if mode <= DRY then refused, wait, by_elements = way.test(limits, ours, adds) end
  if mode == DRY or (refused and not charged) then
    local over, used = sign_over(limits, ours)
    if by_elements then over, used = by_elements, ours[by_elements + 1].total + 1 end
    return refused, wait, refused and uses_of(ours), over, used
  end
  -- A message refused at its end was not accepted at all.
  if refused then
    for meter = 1, MAIL do amounts[meter] = -charged[meter] end
    amounts[INVALID] = 0
    adds, moves = way.shares_of(limits, at)
  end
  way.count(ours, adds, moves, at, since)
  way.save(key, limits, ours, others)
  return refused, wait, refused and uses_of(ours), sign_over(limits, ours)
end

local stale = {}  -- messages that have been written to since they were read
local messages = #KEYS > CHARGES + WITH_ELEMENTS and call('MGET', unpack(KEYS, CHARGES + 1, #KEYS - WITH_ELEMENTS))

-- Whether the recipients of a message have one among them.
local function has(hashes, recipient)
  local from, found = 1, nil
  repeat
    found = find(hashes, recipient, from, true)
    from = (found or 0) + 1
  until not found or found % 8 == 1
  return found
end

-- Counts what the message adds, its elements included. `header`: as header_of() tells, nil where it is not read yet.
-- Nothing: passed; or as add_anew() tells.
local function add(key, header, seen, limits, at, since, mode, even, charged)
  local refused, wait, uses, over, used
  local done, first = false, true
  if even and mode ~= DRY then
    if header == nil then header = header_of(key, limits, at) end
    if header then done, first = add_in_place(key, limits, header, mode == LIVE) end
  end
  if not done then refused, wait, uses, over, used = add_anew(key, limits, at, since, mode, charged) end
  if seen and mode ~= DRY and not refused then
    local begins = elements and elements.remember(seen, limits, at)
    if not done or first or begins then with_elements().keep(seen, limits) end
  end
  return refused, wait, uses, over, used
end

-- Nothing: passed; or the limit, the wait and the uses of a refusal. Then the sign that is gone over, if any, and what
-- its window holds.
local function charge(what, limits, at, mode, bytes, recipient, key, message_key, message, seen, network)
  local settles, header = what % 2 == 1, nil
  local remember = what % 32 >= 16 and '900000' or '3600000'
  if elements then elements.close() end
  noted = nil
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
  if not (since >= 0 and had_recipients >= 0 and had_recipients < WHOLE and had_bytes >= 0 and had_bytes < WHOLE) then
    since, had_messages, had_recipients, had_bytes, hashes = at, 0, 0, 0, ''  -- somebody else wrote it
  end
  local recipients, even = had_recipients, true
  for meter = DISTINCT, LAST do amounts[meter] = 0 end
  if settles then
    local accepted = numbers_of('<d', recipient)
    recipients = accepted > 0 and accepted or max(recipients, 1)
    if bytes == 0 then bytes = had_bytes end
  else
    if not has(hashes, recipient) then
      if seen then
        local none
        header, none = header_of(key, limits, at)
        local known = header and header[3] == network
        even = with_elements().open(seen, limits, recipient, known and NOBODY or network, none, at)
        noted = mode == LIVE and limits.networks and network ~= NOBODY and network
      end
      recipients, hashes = recipients + 1, hashes .. recipient
    end
    bytes = max(bytes, had_bytes)
  end
  if mode == GIVE_BACK then
    amounts[1], amounts[2], amounts[3] = -had_messages, -had_recipients, -had_bytes
  else
    amounts[1], amounts[2], amounts[3] = 1 - had_messages, recipients - had_recipients, bytes - had_bytes
    if settles and had_recipients > recipients then amounts[INVALID] = had_recipients - recipients end
  end
  if amounts[1] == 0 and amounts[2] == 0 and amounts[3] == 0 then
    if message and mode ~= DRY then call('PEXPIRE', message_key, remember) end
    if limits.size == limits.mail then return end
    return add(key, header, nil, limits, at, since, mode, true)
  end

  -- All limits are tested before anything is counted.
  local refused, wait, uses, over, used
  if limits.size > 0 then
    local charged = settles and message and {had_messages, had_recipients, had_bytes}
    refused, wait, uses, over, used = add(key, header, seen, limits, at, since, mode, even, charged)
    if refused and (mode == DRY or not charged) then return refused, wait, uses, over, used end
  end
  if message_key and mode ~= DRY then
    if refused or mode == GIVE_BACK then
      call('DEL', message_key)
    else
      call('SET', message_key, octets_of('<dddc0', since, recipients, bytes, hashes), 'PX', remember)
    end
    stale[message_key] = true
  end
  return refused, wait, uses, over, used
end

-- The same of a sign alone, which always passes: `amount` of a meter.
local function count_sign(limits, at, mode, amount, meter, key, seen)
  if elements then elements.close() end
  noted = nil
  for each = 1, LAST do amounts[each] = 0 end
  if meter > NETWORKS and meter <= LAST then amounts[meter] = amount end
  local refused, wait, uses, over, used = add(key, nil, seen, limits, at, at, mode == DRY and DRY or MERGE, true)
  return nil, nil, nil, over, used
end

local outcomes, details, number, known, with = {}, {}, 0, 0, 0
local function charge_the_rest()
  for start = number * RECORD_SIZE + 1, #records, RECORD_SIZE do
    number = number + 1  -- before anything can fail: what fails is not tried again
    local what, list, bytes, recipient = numbers_of(RECORD, records, start)
    local message_key, message, seen, network
    if what % 16 >= 8 then
      known = known + 1
      message_key, message = KEYS[CHARGES + known], messages[known]
    end
    if what % 128 >= 64 then
      with = with + 1
      seen = KEYS[#KEYS - WITH_ELEMENTS + with]
      network = sub(networks, NETWORK_SIZE * (with - 1) + 1, NETWORK_SIZE * with)
    end
    local limits, mode, at = lists[list] or read_limits(list), (what % 8 - what % 2) / 2, now
    if mode == MERGE then at = min(numbers_of('<d', times, 8 * number - 7), now) end
    local refused, wait, uses, over, used
    if what < 128 then
      refused, wait, uses, over, used =
          charge(what, limits, at, mode, bytes, recipient, KEYS[number], message_key, message, seen, network)
    elseif what % 64 < 32 then
      refused, wait, uses, over, used =
          count_sign(limits, at, mode, bytes, numbers_of('<d', recipient), KEYS[number], seen)
    end
    outcomes[number] = over and (refused and 's' or 'S') or (refused and '-' or '+')
    if refused then details[#details + 1], details[#details + 2], details[#details + 3] = refused, wait, uses end
    if over then details[#details + 1], details[#details + 2] = over, used end
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
