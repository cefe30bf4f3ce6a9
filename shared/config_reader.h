// From a document's tree to a Config: walks the tree along the schema and notes every problem on
// the way.
//
// Reading goes on after a problem, so that one run shows them all. A value that cannot be used
// leaves what was there before.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/check_spec.h"
#include "shared/config.h"
#include "shared/config_schema.h"
#include "shared/config_tree.h"

namespace policyd {

struct ConfigProblem {
  ConfigPosition at;
  std::string key;  // as in the file: `accounts."example.com".messages`
  std::string reason;
};

// "store" and "url": "store.url"; a key is quoted where TOML needs it.
std::string join_path(std::string_view section, std::string_view key);

class ConfigReader {
 public:
  ConfigReader(std::span<const CheckSpec> checks, Config& config)
      : checks_(checks), config_(config) {}

  // Reads `document` over what the Config holds; called for the defaults first, then for the file.
  void read(const ConfigNode& document);

  // Everything that was wrong, in the order of the file.
  [[nodiscard]] std::vector<ConfigProblem> problems() const;

 private:
  void read_section(const ConfigNode& section, const std::string& path);
  void read_member(const ConfigMember& member, const std::string& section);
  void read_checks(const ConfigNode& section);
  void read_check(const ConfigNode& table, const CheckSpec& spec, const std::string& path);
  void read_weights(const ConfigNode& value, const CheckSpec& spec, const std::string& path,
                    std::vector<int>& weights);
  void read_zones(const ConfigNode& value, const CheckSpec& spec, const std::string& path, CheckSettings& settings);
  void read_domains(const ConfigNode& value, const std::string& path, CheckSettings& settings);
  void read_allow(const ConfigNode& value);
  // Each table of an array along `rows`, over `initial`; what `value` is else is complained of.
  template <class Entry>
  struct Tables {
    std::vector<Entry> entries;
    std::vector<bool> sound;  // nothing in it was complained of
  };
  template <class Entry>
  Tables<Entry> read_tables(const ConfigNode& value, const std::string& path, const std::vector<RowOf<Entry>>& rows,
                                 const Entry& initial);
  void read_accounts(const ConfigNode& section);
  void read_account(const ConfigNode& table, const std::string& path, AccountSettings& settings);
  void read_setting(const ConfigMember& member, const std::string& path, AccountSettings& settings);
  void read_list(const ConfigMember& member, const SettingRow& row, AccountSettings& settings,
                 const Complain& complain);

  void check_timing();
  void check_greylist();
  void check_notify();
  void check_redact();
  bool is_table(const ConfigNode& value, const std::string& path);
  void complain_unknown(const ConfigMember& member, const std::string& path,
                        const std::vector<std::string_view>& known, const std::string& hint = "");
  void complain(ConfigPosition at, std::string key, std::string reason);
  Complain complainer(const std::string& key);

  std::span<const CheckSpec> checks_;
  Config& config_;
  std::vector<ConfigProblem> problems_;
  std::optional<ConfigPosition> timing_at_;  // of the last of store.timeout and server.deadline
  std::string timing_key_;
  std::optional<ConfigPosition> greylist_at_;  // of the last of greylist.block and greylist.pass
  std::string greylist_key_;
  std::optional<ConfigPosition> notify_at_;  // of notify.command
  std::optional<ConfigPosition> redact_at_;
};

}  // namespace policyd
