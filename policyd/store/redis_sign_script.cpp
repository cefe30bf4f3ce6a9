// The part of the charge script that counts signs: different elements and events (store.h). It stands in front of the
// rest (redis_charge_script.cpp), which makes it once a run has a charge with signs, and not before.
//
// The counters of the signs are a state of their own (packed_numbers.h). An element stands in the bucket in which it
// was seen last: seen again it moves there, in every window in which it still counts, and is added in the others; so a
// window holds each of its elements once. When an element was seen last stands in a hash of up to 256 fields a meter:
// the field is the meter and the first octet of the element, its value a row of the other 7 octets and the time in ms
// (6 octets) of each, those seen last at the end.
#include "policyd/store/redis_scripts.h"

namespace policyd {

const std::string_view kSignScript = R"lua(
local function sign_part(run)
  local RECORD, RECORD_SIZE, ENTRY, NOBODY = '<Bc8c8', 17, 13, string.rep('\0', 8)
  local DRY, BUCKETS = 1, 60
  local DISTINCT, NETWORKS, INVALID = 4, 5, 6
  local floor, find, sub, char, byte = math.floor, string.find, string.sub, string.char, string.byte
  local numbers_of, octets_of, call, try = struct.unpack, struct.pack, redis.call, redis.pcall
  local now, stale = run.now, run.stale
  local records = ARGV[#ARGV]
  local first_key = #KEYS - 2 * (#records / RECORD_SIZE) + 1
  local number = 0

  local function bucket_of(time, window) return floor(time * BUCKETS / window) end
  local function counts(bucket, window)
    local current = bucket_of(now, window)
    return bucket >= current - BUCKETS and bucket <= current + BUCKETS
  end

  -- The counters one by one, and how they are kept, once something moves or a bucket begins.
  local function take_apart(signs)
    if signs.ours then return signs.ours end
    signs.ours, signs.others = run.long_way().arrange(signs.limits, signs.packed)
    return signs.ours
  end

  local function total_of(signs, c)
    if signs.ours then return signs.ours[c].total end
    if signs.header then return signs.header[2 * c + 1] end
    return 0
  end

  -- Which counters a list of limits has of each meter.
  local NONE = {}
  local function counters_of(limits, meter)
    if not limits.of then
      limits.of = {}
      for c = 1, limits.size do
        local of = limits[2 * c - 1]
        limits.of[of] = limits.of[of] or {}
        table.insert(limits.of[of], c)
      end
    end
    return limits.of[meter] or NONE
  end

  -- An element in its slot, and what it means for each counter: `adds` are those that it is new in, `moves` has the
  -- bucket that it was counted in where that is an earlier one.
  local function element_of(signs, meter, hash, slot, at)
    local limits, rest = signs.limits, sub(hash, 2)
    local counters = counters_of(limits, meter)
    local element = {field = char(meter) .. sub(hash, 1, 1), rest = rest, slot = slot, adds = counters, new = true}
    if type(slot) ~= 'string' or #slot % ENTRY ~= 0 then
      element.slot = ''
      return element
    end
    local from, found = 1, nil
    repeat
      found = find(slot, rest, from, true)
      from = (found or 0) + 1
    until not found or found % ENTRY == 1
    if not found then return element end
    element.place, element.time, element.adds = found, numbers_of('<I6', slot, found + 7), {}
    for _, c in ipairs(counters) do
      local window = limits[2 * c]
      local before = bucket_of(element.time, window)
      if not counts(before, window) then
        table.insert(element.adds, c)
      else
        element.new = false
        if before < bucket_of(at, window) then
          element.moves = element.moves or {}
          element.moves[c] = before
        end
      end
    end
    return element
  end

  -- Of the windows in which elements are counted.
  local function longest_of(limits)
    local longest = 0
    for meter = DISTINCT, NETWORKS do
      for _, c in ipairs(counters_of(limits, meter)) do longest = math.max(longest, limits[2 * c]) end
    end
    return longest
  end

  -- What is stored in up to two fields; what somebody else wrote there is taken for nothing.
  local function slots_of(signs, first, second)
    local slots
    if second then slots = try('HMGET', signs.seen, first, second) else slots = try('HMGET', signs.seen, first) end
    signs.foreign = slots.err
    if slots.err then return end
    return slots[1], slots[2]
  end
  local function field_of(meter, hash) return char(meter) .. sub(hash, 1, 1) end

  -- The signs of the next charge that has some.
  local function open(mode)
    local list, recipient, network = numbers_of(RECORD, records, RECORD_SIZE * number + 1)
    local key_at = first_key + 2 * number
    number = number + 1
    local limits = run.limits(list)
    local signs = {key = KEYS[key_at], seen = KEYS[key_at + 1], limits = limits, recipient = recipient,
                   network = network, packed = '', header = false, ours = false, others = false, elements = NONE,
                   distinct = false, new = false, unsaved = false, foreign = false, longest = 0}
    local packed = run.fetched(key_at)
    if stale[signs.key] then packed = try('GET', signs.key) end
    if type(packed) ~= 'string' then packed = '' end
    signs.packed = packed
    if #packed >= limits.header_end and find(packed, limits.front, 1, true) == 1 then
      local header = {numbers_of(limits.header, packed, limits.header_at)}
      if header[1] <= now and now < header[2] then signs.header = header end
    end
    if packed ~= '' and not signs.header then
      take_apart(signs)
      signs.unsaved = mode ~= DRY  -- so that the next charge finds it in its newest buckets
    end
    signs.distinct = recipient ~= NOBODY and counters_of(limits, DISTINCT) ~= NONE
    return signs
  end

  -- Whether the message has this recipient already; those that were new with it have an odd last octet.
  local function in_message(hashes, hash)
    if hashes == '' then return false end
    for flag = 0, 1 do
      local one = flag == 0 and hash or sub(hash, 1, 7) .. char(byte(hash, 8) + 1)
      local from, found = 1, nil
      repeat
        found = find(hashes, one, from, true)
        from = (found or 0) + 1
      until not found or found % 8 == 1
      if found then return true end
    end
    return false
  end

  -- The elements of a recipient's charge, and which limit refuses them for longest: its index (from 0), and the wait.
  local function test(signs, at, mode)
    local limits, refused, wait = signs.limits, nil, nil
    local network = signs.network ~= NOBODY and counters_of(limits, NETWORKS) ~= NONE
    if signs.distinct and network then
      local one, other = slots_of(signs, field_of(DISTINCT, signs.recipient), field_of(NETWORKS, signs.network))
      signs.elements = {element_of(signs, DISTINCT, signs.recipient, one, at),
                        element_of(signs, NETWORKS, signs.network, other, at)}
    elseif signs.distinct then
      local slot = slots_of(signs, field_of(DISTINCT, signs.recipient))
      signs.elements = {element_of(signs, DISTINCT, signs.recipient, slot, at)}
    elseif network then
      local slot = slots_of(signs, field_of(NETWORKS, signs.network))
      signs.elements = {element_of(signs, NETWORKS, signs.network, slot, at)}
    end
    signs.new = signs.distinct and signs.elements[1].new
    if mode > DRY then return end
    for _, element in ipairs(signs.elements) do
      for _, c in ipairs(element.adds) do
        local maximum = limits[2 * limits.size + c]
        local over = total_of(signs, c) + 1 - maximum
        if over > 0 then
          local ms = -1
          if maximum >= 1 then ms = run.long_way().wait_for(take_apart(signs)[c], over) end
          if not refused or (wait >= 0 and (ms < 0 or ms > wait)) then refused, wait = c - 1, ms end
        end
      end
    end
    return refused, wait
  end

  -- False: the bucket has none.
  local function take_one(counter, bucket)
    if bucket == counter.bucket then
      if counter.newest < 1 then return false end
      counter.newest, counter.total = counter.newest - 1, counter.total - 1
      return true
    end
    local row = counter.row
    for at = #row - 15, 1, -16 do
      local there, count = numbers_of('<dd', row, at)
      if there == bucket then
        local left = count > 1 and octets_of('<dd', bucket, count - 1) or ''
        counter.row, counter.total = sub(row, 1, at - 1) .. left .. sub(row, at + 16), counter.total - 1
        return true
      end
    end
    return false
  end

  local function add(counter, amount, at)
    local bucket = bucket_of(at, counter.window)
    if not counts(bucket, counter.window) then return end
    counter.total = counter.total + amount
    if bucket == counter.bucket then
      counter.newest = counter.newest + amount
    else
      counter.row = run.long_way().insert(counter.row, bucket, amount)
    end
  end

  -- Where what has run out stands in front, it goes.
  local function remember(signs, element, at)
    local slot, longest = element.slot, signs.longest
    if element.place then slot = sub(slot, 1, element.place - 1) .. sub(slot, element.place + ENTRY) end
    local useless = 0
    while useless < #slot and not counts(bucket_of(numbers_of('<I6', slot, useless + 8), longest), longest) do
      useless = useless + ENTRY
    end
    call('HSET', signs.seen, element.field, sub(slot, useless + 1) .. element.rest .. octets_of('<I6', at))
    return element.slot == ''
  end

  -- What is seen until the next bucket begins, and this is done again, lasts as long as it counts.
  local function keep_seen(signs)
    call('PEXPIRE', signs.seen, string.format('%.0f', floor(longest_of(signs.limits) * 1.05) + 1))
  end

  local function remember_all(signs, at)
    if signs.foreign then call('DEL', signs.seen) end
    signs.longest = longest_of(signs.limits)
    local begun = false  -- perhaps the first field
    for _, element in ipairs(signs.elements) do
      if element.moves or #element.adds > 0 then begun = remember(signs, element, at) or begun end
    end
    if begun and not signs.unsaved then keep_seen(signs) end
  end

  local function add_in_place(header, counters, more)
    for _, c in ipairs(counters) do
      header[2 * c + 1], header[2 * c + 2] = header[2 * c + 1] + more, header[2 * c + 2] + more
    end
  end

  -- Counts `amount` events of `meter` and, where `with_elements`, the elements.
  local function count(signs, at, meter, amount, with_elements)
    local limits, header = signs.limits, signs.header
    local events = amount > 0 and counters_of(limits, meter) or NONE
    local changes, apart = events ~= NONE, signs.ours or not header or at < header[1]
    if with_elements then
      for _, element in ipairs(signs.elements) do
        apart, changes = apart or element.moves, changes or element.moves or #element.adds > 0
      end
    end
    if not changes then return end
    if not apart then
      add_in_place(header, events, amount)
      for _, element in ipairs(with_elements and signs.elements or NONE) do add_in_place(header, element.adds, 1) end
      call('SETRANGE', signs.key, limits.totals_at, octets_of(limits.totals, unpack(header, 3)))
    else
      local ours = take_apart(signs)
      for _, element in ipairs(with_elements and signs.elements or NONE) do
        for c, before in pairs(element.moves or NONE) do
          take_one(ours[c], before)
          add(ours[c], 1, at)
        end
        for _, c in ipairs(element.adds) do add(ours[c], 1, at) end
      end
      for _, c in ipairs(events) do add(ours[c], amount, at) end
      signs.unsaved = true
    end
    stale[signs.key] = true
    if with_elements then remember_all(signs, at) end
  end

  -- The recipients that were new with a message are forgotten.
  local function give_back(signs, hashes)
    for place = 1, #hashes, 8 do
      local last = byte(hashes, place + 7)
      if last % 2 == 1 then
        local hash = sub(hashes, place, place + 6) .. char(last - 1)
        local slot = slots_of(signs, field_of(DISTINCT, hash))
        local element = element_of(signs, DISTINCT, hash, slot, now)
        if element.place then
          local ours = take_apart(signs)
          for _, c in ipairs(counters_of(signs.limits, DISTINCT)) do
            take_one(ours[c], bucket_of(element.time, signs.limits[2 * c]))
          end
          slot = sub(element.slot, 1, element.place - 1) .. sub(element.slot, element.place + ENTRY)
          if slot == '' then call('HDEL', signs.seen, element.field)
          else call('HSET', signs.seen, element.field, slot) end
          signs.unsaved = true
        end
      end
    end
  end

  -- Which limit (from 0) is gone over, and what its window holds; nothing where none is.
  local function status(signs)
    if signs.unsaved then
      run.long_way().save(signs.key, signs.limits, signs.ours, signs.others)
      keep_seen(signs)
      stale[signs.key] = true
    end
    if signs.refused then return signs.refused, total_of(signs, signs.refused + 1) + 1 end
    for c = 1, signs.limits.size do
      local total = total_of(signs, c)
      if total > signs.limits[2 * signs.limits.size + c] then return c - 1, total end
    end
  end

  return {open = open, in_message = in_message, test = test, count = count, give_back = give_back, status = status,
          INVALID = INVALID}
end
)lua";

}  // namespace policyd
