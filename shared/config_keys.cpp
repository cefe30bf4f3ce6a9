// Goes over the document once and counts the parts that dots join, outside of strings and comments. Values are counted
// too: none has more than two dots.
#include "shared/config_keys.h"

#include <algorithm>
#include <cstdint>

namespace policyd {
namespace {

constexpr std::string_view kEndOfPart = " \t\r\n.\"'#=,[]{}";

class KeyScanner {
 public:
  explicit KeyScanner(std::string_view toml) : rest_(toml) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }

  std::optional<ConfigPosition> find() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '#') {
        skip(std::min(rest_.find('\n'), rest_.size()));
      } else if (c == ' ' || c == '\t' || c == '.') {
        dot_ = dot_ || c == '.';
        skip(1);
      } else if (c == '"' || c == '\'') {
        if (begins_too_many()) return start_;
        skip_string();
      } else if (kEndOfPart.find(c) != std::string_view::npos) {
        parts_ = 0;
        dot_ = false;
        skip(1);
      } else {
        if (begins_too_many()) return start_;
        skip(std::min(rest_.find_first_of(kEndOfPart), rest_.size()));
      }
    }
    return std::nullopt;
  }

 private:
  // A part begins here: of the same key where a dot came before it.
  bool begins_too_many() {
    if (parts_ == 0 || !dot_) start_ = at_, parts_ = 0;
    dot_ = false;
    return ++parts_ > kMostKeyParts;
  }

  void skip(size_t octets) {
    for (const char c : rest_.substr(0, octets)) {
      if (c == '\n') {
        at_ = {at_.line + 1, 1};
      } else if ((static_cast<uint8_t>(c) & 0xc0) != 0x80) {  // a column is a character
        ++at_.column;
      }
    }
    rest_.remove_prefix(octets);
  }

  // Of any of TOML's four kinds; one that is not closed ends with its line, or with the document.
  void skip_string() {
    const std::string_view one = rest_.substr(0, 1);
    const bool many_lines = rest_.substr(1, 1) == one && rest_.substr(2, 1) == one;
    const std::string_view quotes = rest_.substr(0, many_lines ? 3 : 1);
    size_t end = quotes.size();
    while (end < rest_.size() && rest_.substr(end, quotes.size()) != quotes) {
      if (rest_[end] == '\n' && !many_lines) return skip(end);
      end += one == "\"" && rest_[end] == '\\' ? 2 : 1;
    }
    skip(std::min(end + quotes.size(), rest_.size()));
  }

  std::string_view rest_;
  ConfigPosition at_{1, 1};
  ConfigPosition start_;  // of the key
  size_t parts_ = 0;
  bool dot_ = false;
};

}  // namespace

std::optional<ConfigPosition> overlong_key(std::string_view toml) { return KeyScanner(toml).find(); }

}  // namespace policyd
