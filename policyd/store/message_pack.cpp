#include "policyd/store/message_pack.h"

namespace policyd {

namespace {

void append_big_endian(std::string& out, uint64_t number, int octets) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

void append_array_header(std::string& out, size_t count) {
  if (count < 16) {
    out.push_back(static_cast<char>(0x90 | count));
  } else if (count < 65536) {
    out.push_back(static_cast<char>(0xdc));
    append_big_endian(out, count, 2);
  } else {
    out.push_back(static_cast<char>(0xdd));
    append_big_endian(out, count, 4);
  }
}

void append_number(std::string& out, int64_t number) {
  if (number >= 0 && number < 128) {
    out.push_back(static_cast<char>(number));
  } else {
    out.push_back(static_cast<char>(0xd3));  // int 64
    append_big_endian(out, static_cast<uint64_t>(number), 8);
  }
}

// Reads from the front of `text`; false where it ends too soon.
bool read_big_endian(std::string_view& text, size_t octets, uint64_t& number) {
  if (text.size() < octets) return false;
  number = 0;
  for (size_t i = 0; i < octets; ++i) number = number << 8 | static_cast<uint8_t>(text[i]);
  text.remove_prefix(octets);
  return true;
}

bool read_count(std::string_view& text, uint64_t& count) {
  uint64_t type = 0;
  if (!read_big_endian(text, 1, type)) return false;
  if ((type & 0xf0) == 0x90) return count = type & 0x0f, true;
  if (type == 0xdc) return read_big_endian(text, 2, count);
  return type == 0xdd && read_big_endian(text, 4, count);
}

bool read_number(std::string_view& text, int64_t& number) {
  uint64_t type = 0, value = 0;
  if (!read_big_endian(text, 1, type)) return false;
  if (type < 0x80) return number = static_cast<int64_t>(type), true;
  if (type >= 0xe0) return number = static_cast<int64_t>(type) - 256, true;
  const bool unsigned_form = type >= 0xcc && type <= 0xcf;
  if (!unsigned_form && (type < 0xd0 || type > 0xd3)) return false;
  const size_t octets = size_t{1} << (type & 3);
  if (!read_big_endian(text, octets, value)) return false;
  const int unused = 64 - 8 * static_cast<int>(octets);
  number = unsigned_form ? static_cast<int64_t>(value) : static_cast<int64_t>(value << unused) >> unused;
  return true;
}

// One counter, in the form of Counters: without its total, and without buckets that were given back.
bool read_counter(std::string_view& text, Counters::Cells& cells) {
  uint64_t numbers = 0;
  int64_t meter = 0, window = 0, total = 0;
  if (!read_count(text, numbers) || numbers < 3 || numbers % 2 == 0) return false;
  if (!read_number(text, meter) || !read_number(text, window) || !read_number(text, total)) return false;
  const size_t header = cells.size();
  cells.insert(cells.end(), {meter, window, 0});
  for (uint64_t pair = 0; pair < (numbers - 3) / 2; ++pair) {
    int64_t bucket = 0, count = 0;
    if (!read_number(text, bucket) || !read_number(text, count)) return false;
    if (count == 0) continue;
    cells.insert(cells.end(), {bucket, count});
    ++cells[header + 2];
  }
  return true;
}

}  // namespace

std::string pack_limits(const Limits& limits) {
  std::string out;
  out.reserve(3 + limits.size() * 19);
  append_array_header(out, 3 * limits.size());
  for (const Limit& limit : limits) {
    append_number(out, static_cast<int64_t>(limit.meter));
    append_number(out, limit.maximum);
    append_number(out, limit.window.count());
  }
  return out;
}

std::optional<Counters> unpack_counters(std::string_view text) {
  Counters::Cells cells;
  uint64_t counters = 0;
  if (!text.empty() && !read_count(text, counters)) return std::nullopt;
  for (; counters > 0; --counters) {
    if (!read_counter(text, cells)) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  return Counters::from_cells(std::move(cells));
}

}  // namespace policyd
