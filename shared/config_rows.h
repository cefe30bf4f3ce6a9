// The kinds of rows that the schema is made of: a string, a list of strings, a number; see
// config_schema.h.
//
// Each is given the key's words, how a value is parsed and written, and `field`, which maps a
// Config (const or not) to the member that the row is about. Used by config_schema.cpp and nobody
// else.
#pragma once

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <string>
#include <string_view>
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

// `field` maps a Config to the member that the row is about.
template <class Field>
KeyRow make_row(const KeyWords& words, Field field) {
  KeyRow row;
  row.key = words.key;
  row.initial = words.initial;
  row.summary = words.summary;
  row.reload = words.reload;
  row.same = [field](const Config& left, const Config& right) {
    return field(left) == field(right);
  };
  row.keep = [field](const Config& from, Config& to) { field(to) = field(from); };
  return row;
}

template <class T, class Field>
KeyRow text_row(const KeyWords& words, Text<T> text, Field field) {
  KeyRow row = make_row(words, field);
  row.read = [text, field](const ConfigNode& value, Config& config, const Complain& complain) {
    if (!is_text(value, text.example, complain)) return;
    Result<T> parsed = text.parse(value.text);
    if (!parsed) return complain(value, parsed.error().message);
    field(config) = std::move(*parsed);
  };
  row.write = [text, field](const Config& config) {
    return toml_string(text.format(field(config)));
  };
  return row;
}

enum class Items : uint8_t { any, at_least_one };

template <class T, class Field>
KeyRow list_row(const KeyWords& words, Text<T> text, Field field, Items items = Items::any) {
  KeyRow row = make_row(words, field);
  row.read = [text, field, items](const ConfigNode& value, Config& config,
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
    for (const ConfigNode& item : value.items) {
      if (!is_text(item, text.example, complain)) continue;
      Result<T> parsed = text.parse(item.text);
      if (!parsed) {
        complain(item, parsed.error().message);
      } else if (std::find(list.begin(), list.end(), *parsed) != list.end()) {
        complain(item, quoted(item.text) + " is given twice; remove one");
      } else {
        list.push_back(std::move(*parsed));
      }
    }
    field(config) = std::move(list);
  };
  row.write = [text, field](const Config& config) {
    std::vector<std::string> list;
    for (const T& item : field(config)) list.push_back(toml_string(text.format(item)));
    return fmt::format("[{}]", fmt::join(list, ", "));
  };
  return row;
}

template <class Field>
KeyRow number_row(const KeyWords& words, int least, int most, Field field) {
  KeyRow row = make_row(words, field);
  row.read = [least, most, field](const ConfigNode& value, Config& config,
                                  const Complain& complain) {
    read_number(value, least, most, field(config), complain);
  };
  row.write = [field](const Config& config) { return std::to_string(field(config)); };
  return row;
}

}  // namespace policyd
