// Blocks: their directions, their fields in the store, and the times in them; see block.h.
//
// A block read back from the store may have been written by hand. What cannot be used in it is told
// and left out, but the block stays in force: from_fields() has no way to fail. Targets are in
// block_target.cpp.
#include "shared/block.h"

#include <array>
#include <fmt/format.h>

#include "shared/smtp_reply.h"
#include "shared/text.h"

namespace policyd {
namespace {

struct DirectionRow {
  BlockDirection direction;
  std::string_view name;
};
constexpr std::array<DirectionRow, 3> kDirections{{
    {BlockDirection::both, "both"},
    {BlockDirection::in, "in"},
    {BlockDirection::out, "out"},
}};

// The fields that are taken as they are.
struct TextField {
  std::string_view name;
  std::string Block::*member;
};
constexpr std::array<TextField, 4> kTextFields{{
    {"description", &Block::description},
    {"reply", &Block::reply},
    {"by", &Block::by},
    {"created", &Block::created},
}};

// Takes a number of exactly `width` digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, size_t width) {
  if (text.size() < width) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, width)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(width);
  return number;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

// "10:00", up to 23:59.
std::optional<std::chrono::minutes> take_hours_minutes(std::string_view& text) {
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return std::chrono::minutes(*hours * 60 + *minutes);
}

// ".123", if there is one; more than milliseconds is dropped.
std::optional<Milliseconds> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return Milliseconds(0);
  int64_t fraction = 0;
  int64_t weight = 100;
  size_t digits = 0;
  for (; auto digit = take_number(text, 1); ++digits, weight /= 10) fraction += *digit * weight;
  if (digits == 0) return std::nullopt;
  return Milliseconds(fraction);
}

// "Z" or "+01:00": how far ahead of UTC the time is.
std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return std::chrono::minutes(0);
  const bool west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto ahead = take_hours_minutes(text);
  if (!ahead) return std::nullopt;
  return west ? -*ahead : *ahead;
}

}  // namespace

std::string_view block_direction_name(BlockDirection direction) {
  for (const DirectionRow& row : kDirections) {
    if (row.direction == direction) return row.name;
  }
  std::abort();  // a BlockDirection without a row
}

std::optional<BlockDirection> parse_block_direction(std::string_view name) {
  for (const DirectionRow& row : kDirections) {
    if (row.name == name) return row.direction;
  }
  return std::nullopt;
}

std::map<std::string, std::string> Block::fields() const {
  std::map<std::string, std::string> fields{
      {"direction", std::string(block_direction_name(direction))}};
  for (const TextField& field : kTextFields) {
    const std::string& text = this->*field.member;
    if (!text.empty()) fields.emplace(field.name, text);
  }
  return fields;
}

Block Block::from_fields(BlockTarget target, const std::map<std::string, std::string>& fields,
                         std::string* warning) {
  Block block;
  block.target = std::move(target);
  const auto get = [&](std::string_view name) {
    const auto found = fields.find(std::string(name));
    return found == fields.end() ? std::string() : found->second;
  };
  const auto warn = [&](const std::string& what) {
    if (warning == nullptr) return;
    if (!warning->empty()) *warning += "; ";
    *warning += fmt::format("{} block {}: {}", block_type_name(block.target.type),
                            quoted(block.target.target), what);
  };
  for (const TextField& field : kTextFields) {
    std::string& text = block.*field.member = get(field.name);
    if (text.size() <= kLongestNote) continue;
    warn(fmt::format("{} is longer than {} octets and was cut", field.name, kLongestNote));
    text.resize(kLongestNote);
  }

  if (const std::string direction = get("direction"); !direction.empty()) {
    const auto known = parse_block_direction(to_lower(trim(direction)));
    if (!known)
      warn("direction " + quoted(direction) + " is none of in, out, both; it blocks both");
    block.direction = known.value_or(BlockDirection::both);
  }
  if (block.reply.empty()) return block;
  if (const auto reply = SmtpReply::parse(block.reply, SmtpReply{}); !reply) {
    warn("reply " + reply.error().message + "; the configured reply is sent");
    block.reply.clear();
  }
  return block;
}

std::string format_time(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

// RFC 3339, section 5.6.
std::optional<WallTime> parse_time(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take(text, "Tt ")) return std::nullopt;
  const auto minutes = take_hours_minutes(text);
  if (!minutes || !take(text, ":")) return std::nullopt;
  const auto seconds = take_number(text, 2);
  if (!seconds || *seconds > 60) return std::nullopt;  // 60 is a leap second
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto ahead = take_offset(text);
  if (!ahead || !text.empty()) return std::nullopt;
  return WallTime(*date) + *minutes + std::chrono::seconds(*seconds) + *fraction - *ahead;
}

}  // namespace policyd
