// Rows of numbers as the charge script keeps and takes them: 8 octets each, an IEEE 754 double, little-endian (Lua's
// own kind of number, whole ones exact up to 2^53). Pure.
//
// The counters of an account in Redis, of mail and of signs, all that stands in the string but the first 16 octets and
// the network being such numbers:
//   "policyd" and the form, 5; 8 octets that stand for the limits, their maxima included
//   from, until           ms since 1970 between which each counter's newest bucket is the current one
//   network               8 octets that stand for the client network seen last, which counts in the newest bucket of
//                         each of its windows; 0: none is known to
//   m, added, room        of m meters what has been added since all that follows was written, and after that of each
//                         how much it may be until a maximum is reached
//   n, then meter and window in ms of each of n counters; their meters come first in the order of those m
//   total, newest         of each: what counts, and what of it stands in the newest bucket
//   k                     of each: how many older buckets there are
//   bucket, count         k pairs of each, sorted by age
//   meter, window, total, k, k pairs; and so on to the end: counters that the limits charged last did not know
// While the time is between `from` and `until` nothing runs out and no bucket begins, so that what is charged adds the
// same to all counters of a meter: a charge then reads up to `room` alone and writes what was added, however many
// windows and buckets there are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policyd/store/sliding_window.h"
#include "shared/limits.h"

namespace policyd {

void append_number(std::string& out, double number);
// The whole number at `index`; 0 where there is none.
int64_t number_at(std::string_view octets, size_t index);

// What the script needs of limits, those of signs behind the others: the first 16 octets of a state of theirs; meter
// and window of each; then the maximum of each. No meter has a window twice (AccountSettings::set sees to that).
void append_limits(std::string& out, const Limits& limits, const Limits& signs);

// What the script keeps of an account. Nothing where the octets are of another form or damaged; no octets are no
// counters.
std::optional<Counters> unpack_counters(std::string_view octets);

}  // namespace policyd
