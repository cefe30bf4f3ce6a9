// A configuration document as a tree of plain values, each with its place in the file.
//
// What stands between the TOML library, which the loader alone knows, and the schema, which need
// not know it. Members keep their names as written; their order is not the file's (problems are
// sorted by place in the end). Pure values: nothing here fails.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace policyd {

struct ConfigPosition {
  uint32_t line = 0;  // from 1
  uint32_t column = 0;
  auto operator<=>(const ConfigPosition&) const = default;
};

struct ConfigMember;

struct ConfigNode {
  enum class Kind : uint8_t { string, integer, boolean, real, time, array, table };
  Kind kind = Kind::table;
  ConfigPosition at;
  std::string text;                   // string
  int64_t integer = 0;                // integer
  bool boolean = false;               // boolean
  std::vector<ConfigNode> items;      // array
  std::vector<ConfigMember> members;  // table

  [[nodiscard]] bool is(Kind wanted) const { return kind == wanted; }
};

struct ConfigMember {
  std::string key;
  ConfigPosition at;  // of the key
  ConfigNode value;
};

// For messages: `the string "3 s"`, "the number 3", "a table".
std::string describe(const ConfigNode& node);

// A key as TOML writes it: bare where it can be, else between quotes.
std::string toml_key(std::string_view key);
// A basic string of TOML, quotes included.
std::string toml_string(std::string_view text);

// "first, second or third", each between quotes; at most `limit` of them, then "...".
std::string list_names(const std::vector<std::string_view>& names, size_t limit = 12);

// The one of `known` that was probably meant by `text`: at most two slips of the pen away (one in a
// short word); empty where none is.
std::string_view nearest(std::string_view text, const std::vector<std::string_view>& known);

}  // namespace policyd
