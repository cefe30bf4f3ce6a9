// The part of the charge script that makes counters anew: where a bucket begins, something has run out or is given
// back, or a limit is in the way. It stands in front of the rest (redis_charge_script.cpp), which makes it for the
// first charge of a run that needs it, and not before.
#include "policyd/store/redis_scripts.h"

namespace policyd {

const std::string_view kCounterScript = R"lua(
local function long_way(run)
  local BUCKETS = 60
  local floor, max, min, sub = math.floor, math.max, math.min, string.sub
  local numbers_of, octets_of, call = struct.unpack, struct.pack, redis.call
  local now, amounts, elements = run.now, run.amounts, run.elements
  local ceil, concat = math.ceil, table.concat
  local FORM, LONGEST, DISTINCT, NETWORKS = 'policyd\5', 366 * 86400000, 4, 5
  local NOBODY = string.rep('\0', 8)
  local network = run.network or function() return NOBODY end

  -- Adds to a row of buckets, nearly always at its end.
  local function insert(row, bucket, count)
    local at = #row
    while at > 0 do
      local there, counted = numbers_of('<dd', row, at - 15)
      if there == bucket then return sub(row, 1, at - 8) .. octets_of('<d', counted + count) .. sub(row, at + 1) end
      if there < bucket then break end
      at = at - 16
    end
    return sub(row, 1, at) .. octets_of('<dd', bucket, count) .. sub(row, at + 1)
  end

  -- The row with the newest bucket in it, which is not the last one after a clock was set back.
  local function all_of(counter)
    if counter.newest == 0 then return counter.row end
    return insert(counter.row, counter.bucket, counter.newest)
  end

  -- The row of a counter from `at`, and where the next one begins; nothing where it cannot be one.
  local function counter_of(packed, meter, window, total, newest, pairs, at)
    local next = at + 16 * pairs
    if not (meter >= 1 and meter <= 8 and meter % 1 == 0 and window >= 1 and window <= LONGEST and newest >= 0 and
            total >= newest and pairs >= 0 and pairs % 1 == 0 and next <= #packed + 1) then return nil end
    return {meter = meter, window = window, total = total, newest = newest, row = sub(packed, at, next - 1)}, next
  end

  -- All counters of a state. What somebody else wrote here is taken for nothing.
  local function parse(packed)
    if type(packed) ~= 'string' or #packed < 56 or #packed % 8 ~= 0 or sub(packed, 1, 8) ~= FORM then return {} end
    local groups, counters = numbers_of('<d', packed, 41), {}
    if not (groups >= 0 and groups % 1 == 0 and 56 + 16 * groups <= #packed) then return {} end
    local size, names = numbers_of('<d', packed, 49 + 16 * groups), 57 + 16 * groups
    local totals, rows, at = names + 16 * size, names + 32 * size, names + 40 * size
    if not (size >= 0 and size % 1 == 0 and at <= #packed + 1) then return {} end
    local from, added, known = numbers_of('<d', packed, 17), {}, 0
    for c = 0, size - 1 do
      local meter, window = numbers_of('<dd', packed, names + 16 * c)
      if not (meter >= 1) then return {} end
      if not added[meter] then
        if known == groups then return {} end
        added[meter], known = numbers_of('<d', packed, 49 + 8 * known), known + 1
      end
      local total, newest = numbers_of('<dd', packed, totals + 16 * c)
      local pairs, counter = numbers_of('<d', packed, rows + 8 * c), nil
      if not (newest >= 0 and added[meter] >= 0) then return {} end
      total, newest = total + added[meter], newest + added[meter]
      counter, at = counter_of(packed, meter, window, total, newest, pairs, at)
      if not counter then return {} end
      counter.bucket = floor(from * BUCKETS / window)
      counters[c + 1] = counter
    end
    while at <= #packed do
      if at + 31 > #packed then return {} end
      local meter, window, total, pairs = numbers_of('<dddd', packed, at)
      local counter
      counter, at = counter_of(packed, meter, window, total, 0, pairs, at + 32)
      if not counter then return {} end
      counters[#counters + 1] = counter
    end
    return counters
  end

  -- Makes the current bucket the newest one. What has run out goes, and what a clock that was set back left in the
  -- future.
  local function roll(counter)
    local current = floor(now * BUCKETS / counter.window)
    if counter.bucket ~= current then counter.row, counter.newest = all_of(counter), 0 end
    counter.bucket = current
    local row, first, last = counter.row, 1, #counter.row
    while first < last do
      local bucket, count = numbers_of('<dd', row, first)
      if bucket >= current - BUCKETS then break end
      counter.total, first = counter.total - count, first + 16
    end
    while first < last do
      local bucket, count = numbers_of('<dd', row, last - 15)
      if bucket <= current + BUCKETS then break end
      counter.total, last = counter.total - count, last - 16
    end
    counter.row = sub(row, first, last)
  end

  -- The counters of the limits in their order, begun where they are missing; and those of windows that the limits do
  -- not know.
  local function arrange(limits, packed)
    local ours, others = {}, {}
    local function is(c, counter) return limits.meters[c] == counter.meter and limits.windows[c] == counter.window end
    for number, counter in ipairs(parse(packed)) do
      local place = is(number, counter) and number  -- as nearly always: the limits are those of last time
      if not place then
        for c = 1, limits.size do
          if is(c, counter) then place = c end
        end
      end
      roll(counter)
      if place then
        ours[place] = counter
      elseif counter.total > 0 then
        others[#others + 1] = counter
      end
    end
    for c = 1, limits.size do
      if not ours[c] then
        ours[c] = {meter = limits.meters[c], window = limits.windows[c], total = 0, newest = 0, row = ''}
        roll(ours[c])
      end
    end
    return ours, others
  end

  -- How long until `excess` less counts: buckets run out in the order of their age.
  local function wait_for(counter, excess)
    local row, at, til = all_of(counter), 1, now
    while excess > 0 and at < #row do
      local bucket, count = numbers_of('<dd', row, at)
      excess, at = excess - count, at + 16
      til = ceil((bucket + BUCKETS + 1) * counter.window / BUCKETS)
    end
    return max(til - now, 1)
  end

  -- What the charge at hand adds to each counter; and of elements that move the bucket that they come from.
  local function shares_of(limits, at)
    local adds, moves = {}, {}
    for c = 1, limits.size do
      local meter = limits.meters[c]
      if meter == DISTINCT or meter == NETWORKS then
        adds[c], moves[c] = elements().share_of(meter, limits.windows[c], at)
      else
        adds[c] = amounts[meter]
      end
    end
    return adds, moves
  end

  -- Which limit (from 0) refuses for longest, and for how long; -1: for ever. And which one of those of elements.
  local function test(limits, ours, adds)
    local refused, longest, by_elements = nil, 0, nil
    for _, c in ipairs(limits.testing) do
      local counter, amount, maximum = ours[c], adds[c], limits.maxima[c]
      if amount > 0 and counter.total + amount > maximum then
        local wait = math.huge
        if amount <= maximum then wait = wait_for(counter, counter.total + amount - maximum) end
        if wait > longest then refused, longest = c - 1, wait end
        if counter.meter >= DISTINCT then by_elements = refused end
      end
    end
    return refused, longest < math.huge and longest or -1, by_elements
  end

  -- From the oldest buckets, so that what remains counts rather longer than shorter.
  local function give_back(counter, amount)
    local row, at = all_of(counter), 1
    while amount > 0 and at < #row do
      local bucket, count = numbers_of('<dd', row, at)
      local taken = min(count, amount)
      amount, counter.total = amount - taken, counter.total - taken
      if taken < count then
        row = sub(row, 1, at + 7) .. octets_of('<d', count - taken) .. sub(row, at + 16)
      else
        at = at + 16
      end
    end
    counter.newest, counter.row = 0, sub(row, at)
  end

  -- False: the bucket has none.
  local function take_one(counter, bucket)
    if bucket == counter.bucket and counter.newest > 0 then
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

  -- At `at`, or where it is given back what was counted at `since` or later.
  local function count(ours, adds, moves, at, since)
    for c, counter in ipairs(ours) do
      local amount = adds[c]
      if moves[c] then
        take_one(counter, moves[c])
        amount = 1
      end
      local bucket = floor((amount > 0 and at or since) * BUCKETS / counter.window)
      if amount ~= 0 and bucket >= counter.bucket - BUCKETS and bucket <= counter.bucket + BUCKETS then
        if amount < 0 then
          give_back(counter, -amount)
        elseif bucket == counter.bucket then
          counter.total, counter.newest = counter.total + amount, counter.newest + amount
        else
          counter.total, counter.row = counter.total + amount, insert(counter.row, bucket, amount)
        end
      end
    end
  end

  local function save(key, limits, ours, others)
    local all, longest, from, til = 0, 0, 0, #ours > 0 and math.huge or 0
    local totals, pairs, rows, room = {}, {}, {}, {}
    for c, counter in ipairs(ours) do
      local window, meter = counter.window, counter.meter
      room[meter] = min(room[meter] or math.huge, limits.maxima[c] - counter.total)
      all, longest = all + counter.total, max(longest, window)
      from = max(from, ceil(counter.bucket * window / BUCKETS))
      til = min(til, ceil((counter.bucket + 1) * window / BUCKETS))
      totals[c], pairs[c] = octets_of('<dd', counter.total, counter.newest), octets_of('<d', #counter.row / 16)
      rows[c] = counter.row
    end
    for _, counter in ipairs(others) do
      all, longest = all + counter.total, max(longest, counter.window)
      local row = all_of(counter)
      rows[#rows + 1] = octets_of('<dddd', counter.meter, counter.window, counter.total, #row / 16) .. row
    end
    if all == 0 then return call('DEL', key) end
    -- What is counted until the next roll is in the buckets of now: it counts for 61 of them.
    local rooms = {}
    for g, meter in ipairs(limits.groups) do rooms[g] = octets_of('<d', room[meter]) end
    local front = {limits.front, octets_of('<dd', from, til), network(), octets_of('<d', #rooms),
                   string.rep('\0', 8 * #rooms), concat(rooms), limits.names}
    call('SET', key, concat(front) .. concat(totals) .. concat(pairs) .. concat(rows),
         'PX', string.format('%.0f', floor(longest * 1.02) + 1))
  end

  local nothing = octets_of('<d', 0)  -- of no limits
  local none = {size = 0, meters = {}, windows = {}, groups = {}, front = FORM .. nothing, names = nothing}
  return {arrange = arrange, shares_of = shares_of, test = test, count = count, save = save, none = none}
end
)lua";

}  // namespace policyd
