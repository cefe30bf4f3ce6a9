// The part of the charge script that knows different elements (store.h), recipients and client networks. It stands in
// front of the rest (redis_charge_script.cpp), which makes it once a run has a charge with such limits, and not before.
//
// An element counts in the bucket in which it was seen last: seen again it moves there, in every window in which it
// still counts, and is added in the others; so a window holds each of its elements once. When an element was seen last
// stands in a hash of up to 256 fields a meter: the field is the meter and the first octet of the element, its value a
// row of the other 7 octets and the time in ms (6 octets) of each, those seen last at the end.
#include "policyd/store/redis_scripts.h"

namespace policyd {

const std::string_view kElementScript = R"lua(
local function element_part(run)
  local ENTRY, NOBODY, BUCKETS, DISTINCT, NETWORKS = 13, string.rep('\0', 8), 60, 4, 5
  local floor, max, find, sub, char = math.floor, math.max, string.find, string.sub, string.char
  local numbers_of, octets_of, call, try = struct.unpack, struct.pack, redis.call, redis.pcall
  local now, amounts = run.now, run.amounts
  local NOW, DISTINCT_FIELD, NETWORK_FIELD = octets_of('<I6', now), char(DISTINCT), char(NETWORKS)

  -- The elements of the charge at hand: where each stands, the time at which it was seen last (false: it is not there),
  -- and whether it has to be written.
  local recipient, network = {changes = false}, {changes = false}
  -- `foreign`: what is there is none of the account's; `empty`: there may be nothing at all.
  local foreign, empty, even = false, false, true

  local function bucket_of(time, window) return floor(time * BUCKETS / window) end
  -- The buckets of now.
  local function current_of(limits)
    local current = {}
    for c, window in ipairs(limits.windows) do current[c] = bucket_of(now, window) end
    limits.current = current
    return current
  end
  local function counts(bucket, window)
    local current = bucket_of(now, window)
    return bucket >= current - BUCKETS and bucket <= current + BUCKETS
  end

  local function place_of(slot, rest)
    local from, found = 1, nil
    repeat
      found = find(slot, rest, from, true)
      from = (found or 0) + 1
    until not found or found % ENTRY == 1
    return found
  end

  -- What an element adds to the counters of its meter: 1, or 0; where these differ, or it moves, `even` is false.
  local function look(element, field, rest, slot, counters, limits, at)
    element.field, element.rest, element.time, element.changes = field, rest, false, true
    if type(slot) ~= 'string' or #slot % ENTRY ~= 0 then slot = '' end
    element.slot = slot
    local place = slot ~= '' and place_of(slot, rest)
    if not place then return 1 end
    element.place, element.time = place, numbers_of('<I6', slot, place + 7)
    local known, moves, current = 0, false, limits.current or current_of(limits)
    for i = 1, #counters do
      local c = counters[i]
      local window = limits.windows[c]
      local before = bucket_of(element.time, window)
      if before == current[c] then
        known = known + 1
      elseif counts(before, window) then
        known, moves = known + 1, moves or before < bucket_of(at, window)
      end
    end
    if known == 0 then return 1 end
    element.changes = moves or known < #counters
    if element.changes then even = false end
    return 0
  end

  -- The elements of a recipient that its message does not have yet. Whether each of the two adds the same to all of its
  -- counters, which then stands in `amounts`. `lost`: there are no counters, so that nothing that was seen counts.
  local function open(seen, limits, hash, network_hash, lost, at)
    local first = limits.distinct and hash ~= NOBODY and DISTINCT_FIELD .. sub(hash, 1, 1)
    local second = limits.networks and network_hash ~= NOBODY and NETWORK_FIELD .. sub(network_hash, 1, 1)
    even, foreign, recipient.changes, network.changes = true, false, false, false
    if not (first or second) then return true end
    local slot, network_slot
    if lost then
      foreign = true
    elseif first and second then
      local slots = try('HMGET', seen, first, second)
      foreign, slot, network_slot = slots.err, slots[1], slots[2]
    else
      slot = try('HGET', seen, first or second)
      foreign = type(slot) == 'table'
      network_slot = slot
    end
    if foreign then slot, network_slot = false, false end
    empty = foreign or not (slot or network_slot or run.all_exist())
    if first then amounts[DISTINCT] = look(recipient, first, sub(hash, 2), slot, limits.distinct, limits, at) end
    if second then
      amounts[NETWORKS] = look(network, second, sub(network_hash, 2), network_slot, limits.networks, limits, at)
    end
    return even
  end

  -- No elements.
  local function close()
    recipient.changes, network.changes, foreign = false, false, false
  end

  -- What the element of `meter` adds to a counter, and the bucket that it moves from where it is counted already.
  local function share_of(meter, window, at)
    local element = meter == DISTINCT and recipient or network
    if not element.changes then return 0 end
    if not element.time then return 1 end
    local before = bucket_of(element.time, window)
    if not counts(before, window) then return 1 end
    return 0, before < bucket_of(at, window) and before or nil
  end

  -- Between which times what was seen counts in the longest window.
  local function lifetime_of(limits)
    if not limits.oldest then
      local longest, current = limits.longest, bucket_of(now, limits.longest)
      limits.oldest = (current - BUCKETS) * longest / BUCKETS
      limits.newest = (current + BUCKETS + 1) * longest / BUCKETS
    end
    return limits.oldest, limits.newest
  end

  -- The slot with the element at its end. Where what has run out stands in front, it goes.
  local function slot_of(element, at, limits)
    local slot = element.slot
    if element.time then slot = sub(slot, 1, element.place - 1) .. sub(slot, element.place + ENTRY) end
    local useless, oldest, newest = 0, 0, 0
    if slot ~= '' or element.time then oldest, newest = lifetime_of(limits) end
    while useless < #slot do
      local seen_at = numbers_of('<I6', slot, useless + 8)
      if seen_at >= oldest and seen_at < newest then break end
      useless = useless + ENTRY
    end
    if useless > 0 then slot = sub(slot, useless + 1) end
    local seen_at = element.time and element.time < newest and max(at, element.time) or at
    return slot .. element.rest .. (seen_at == now and NOW or octets_of('<I6', seen_at))
  end

  -- Remembers that they have been seen. Whether they may be the first.
  local function remember(seen, limits, at)
    if foreign then call('DEL', seen) end
    foreign = false
    if recipient.changes then call('HSET', seen, recipient.field, slot_of(recipient, at, limits)) end
    if network.changes then call('HSET', seen, network.field, slot_of(network, at, limits)) end
    return empty and (recipient.changes or network.changes)
  end

  -- What is seen until the next bucket begins, and this is done again, lasts as long as it counts.
  local function keep(seen, limits)
    call('PEXPIRE', seen, string.format('%.0f', floor(limits.longest * 1.05) + 1))
  end

  return {open = open, close = close, share_of = share_of, remember = remember, keep = keep}
end
)lua";

}  // namespace policyd
