#include "policyd/store/resp.h"

#include <charconv>

namespace policyd {

namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr size_t kOverhead = 16;  // of a bulk string, about

class Digits {
 public:
  explicit Digits(size_t number) : end_(std::to_chars(octets_, octets_ + sizeof octets_, number).ptr) {}
  [[nodiscard]] std::string_view text() const { return {octets_, static_cast<size_t>(end_ - octets_)}; }

 private:
  char octets_[24];
  char* end_;
};

void append_count(std::string& out, char type, size_t count) {
  out.push_back(type);
  out.append(Digits(count).text()).append(kEnd);
}

}  // namespace

void append_command_head(std::string& out, size_t arguments) { append_count(out, '*', arguments); }

void append_bulk(std::string& out, std::string_view octets) {
  append_count(out, '$', octets.size());
  out.append(octets).append(kEnd);
}

void append_bulk(std::string& out, size_t number) { append_bulk(out, Digits(number).text()); }

void append_command(std::string& out, std::span<const std::string_view> arguments) {
  size_t size = kOverhead;
  for (const auto argument : arguments) size += argument.size() + kOverhead;
  out.reserve(out.size() + size);
  append_command_head(out, arguments.size());
  for (const auto argument : arguments) append_bulk(out, argument);
}

}  // namespace policyd
