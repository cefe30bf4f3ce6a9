// THE list of the configuration's keys: one row each.
//
// Validation, defaults, `config show`, what a reload can change and the test of conf/policyd.toml
// all come from these rows. A new key is a member of Config, a row here and an entry in
// conf/policyd.toml. [checks.NAME] and [accounts.NAME], whose names are not known beforehand, are
// read by config_reader.cpp from the rows of the checks and of the account settings; the lists of tables,
// [[checks.NAME.zones]] and [[allow]], have rows of their own in config_tables.cpp.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/config.h"
#include "shared/config_tree.h"

namespace policyd {

// Takes a reason why the value at `where` cannot be used.
using Complain = std::function<void(const ConfigNode& where, std::string reason)>;

enum class Reload : uint8_t { applies, needs_restart };

// A key of a T: of the Config, or of an entry in a list of tables.
template <class T>
struct RowOf {
  std::string_view key;      // "server.deadline"; of an entry: "zone"
  std::string_view initial;  // the default, as TOML: "\"3s\""
  std::string_view summary;  // one line
  Reload reload = Reload::applies;
  // Puts a value into `into`; where it cannot, it complains and leaves `into` as it is.
  std::function<void(const ConfigNode& value, T& into, const Complain& complain)> read;
  std::function<std::string(const T& of)> write;  // as TOML; a password is masked
  std::function<bool(const T& left, const T& right)> same;
  std::function<void(const T& from, T& to)> keep;  // copies the value
};
using KeyRow = RowOf<Config>;

// In the order in which the configuration is shown; the keys of a section stand together.
const std::vector<KeyRow>& key_rows();

// What an account is allowed where nothing else is said, as TOML.
struct AccountDefault {
  std::string_view key;
  std::string_view initial;
};
const std::vector<AccountDefault>& account_defaults();

// Range of a check's weight.
inline constexpr int kLargestWeight = 1000;

// Reads a whole number; complains otherwise.
void read_number(const ConfigNode& value, int least, int most, int& field,
                 const Complain& complain);
// Reads true or false; complains otherwise.
void read_flag(const ConfigNode& value, bool& field, const Complain& complain);
// Whether `value` is a string without control characters; complains otherwise. `example` is TOML.
bool is_text(const ConfigNode& value, std::string_view example, const Complain& complain);

}  // namespace policyd
