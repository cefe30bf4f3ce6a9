// The kinds of rows that the schema is made of: a string, a list of strings, a number, true or false; see
// config_schema.h.
//
// Each is given the key's words, how a value is parsed and written, and `field`, which maps an
// Owner (const or not; the Config, if nothing else is said) to the member that the row is about.
// Used by config_schema.cpp and config_tables.cpp, and nobody else.
#pragma once

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "shared/config_schema.h"

namespace policyd {

// What a row of every kind has in common.
struct KeyWords {
  std::string_view key;
  std::string_view initial;
  std::string_view summary;
  Reload reload = Reload::applies;
};

// How a T is made from a string and made a string again.
template <class T>
struct Text {
  std::string_view example;  // as TOML, for those who gave another type
  std::function<Result<T>(std::string_view)> parse;
  std::function<std::string(const T&)> format;
};

inline std::string itself(const std::string& text) {
  return text;
}

// A string that stays one.
inline Text<std::string> plain(std::string_view example, Result<std::string> (*parse)(std::string_view)) {
  return {example, parse, itself};
}

inline Text<std::string> one_of(std::string_view example, std::vector<std::string_view> choices) {
  auto parse = [choices](std::string_view text) -> Result<std::string> {
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return std::string(text);
    return Error{quoted(text) + " is not known here; expected " + list_names(choices)};
  };
  return {example, parse, itself};
}

// A T that knows itself how it is written.
template <class T>
Text<T> value_of(std::string_view example) {
  return {example, [](std::string_view text) { return T::parse(text); },
          [](const T& value) { return value.to_string(); }};
}

// `field` maps an Owner to the member that the row is about.
template <class Owner, class Field>
RowOf<Owner> make_row(const KeyWords& words, Field field) {
  RowOf<Owner> row;
  row.key = words.key;
  row.initial = words.initial;
  row.summary = words.summary;
  row.reload = words.reload;
  row.same = [field](const Owner& left, const Owner& right) { return field(left) == field(right); };
  row.keep = [field](const Owner& from, Owner& to) { field(to) = field(from); };
  return row;
}

template <class Owner = Config, class T, class Field>
RowOf<Owner> text_row(const KeyWords& words, Text<T> text, Field field) {
  RowOf<Owner> row = make_row<Owner>(words, field);
  row.read = [text, field](const ConfigNode& value, Owner& owner, const Complain& complain) {
    if (!is_text(value, text.example, complain)) return;
    Result<T> parsed = text.parse(value.text);
    if (!parsed) return complain(value, parsed.error().message);
    field(owner) = std::move(*parsed);
  };
  row.write = [text, field](const Owner& owner) {
    return toml_string(text.format(field(owner)));
  };
  return row;
}

enum class Items : uint8_t { any, at_least_one, repeatable };  // repeatable: any, and the same one may be given twice

template <class Owner = Config, class T, class Field>
RowOf<Owner> list_row(const KeyWords& words, Text<T> text, Field field, Items items = Items::any) {
  RowOf<Owner> row = make_row<Owner>(words, field);
  row.read = [text, field, items](const ConfigNode& value, Owner& owner,
                                  const Complain& complain) {
    if (!value.is(ConfigNode::Kind::array)) {
      return complain(value, fmt::format("expected an array such as [{}], found {}", text.example,
                                         describe(value)));
    }
    if (value.items.empty() && items == Items::at_least_one) {
      return complain(value,
                      fmt::format("is empty; at least one is needed, such as [{}]", text.example));
    }
    std::vector<T> list;
    std::unordered_set<std::string> seen;  // what is the same is written the same
    for (const ConfigNode& item : value.items) {
      if (!is_text(item, text.example, complain)) continue;
      Result<T> parsed = text.parse(item.text);
      if (!parsed) {
        complain(item, parsed.error().message);
      } else if (!seen.insert(text.format(*parsed)).second && items != Items::repeatable) {
        complain(item, quoted(item.text) + " is given twice; remove one");
      } else {
        list.push_back(std::move(*parsed));
      }
    }
    field(owner) = std::move(list);
  };
  row.write = [text, field](const Owner& owner) {
    std::vector<std::string> list;
    for (const T& item : field(owner)) list.push_back(toml_string(text.format(item)));
    return fmt::format("[{}]", fmt::join(list, ", "));
  };
  return row;
}

template <class Owner = Config, class Field>
RowOf<Owner> number_row(const KeyWords& words, int least, int most, Field field) {
  RowOf<Owner> row = make_row<Owner>(words, field);
  row.read = [least, most, field](const ConfigNode& value, Owner& owner,
                                  const Complain& complain) {
    read_number(value, least, most, field(owner), complain);
  };
  row.write = [field](const Owner& owner) { return std::to_string(field(owner)); };
  return row;
}

template <class Owner = Config, class Field>
RowOf<Owner> flag_row(const KeyWords& words, Field field) {
  RowOf<Owner> row = make_row<Owner>(words, field);
  row.read = [field](const ConfigNode& value, Owner& owner, const Complain& complain) {
    read_flag(value, field(owner), complain);
  };
  row.write = [field](const Owner& owner) { return field(owner) ? "true" : "false"; };
  return row;
}

}  // namespace policyd
