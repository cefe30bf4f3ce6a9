// Reads [accounts.NAME]: each setting in the form that its row says (shared/limits.h); see config_reader.h.
#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "shared/config_reader.h"
#include "shared/config_values.h"

namespace policyd {
namespace {

constexpr std::string_view kAccounts = "accounts";

std::string below(std::string_view section, std::string_view key) {
  return fmt::format("{}.{}", section, toml_key(key));
}

ConfigNode string_node(const std::string& text, ConfigPosition at) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::string;
  node.text = text;
  node.at = at;
  return node;
}

}  // namespace

void ConfigReader::read_accounts(const ConfigNode& section) {
  std::map<std::string, const ConfigMember*> seen;
  for (const ConfigMember& member : section.members) {
    const std::string path = below(kAccounts, member.key);
    if (!is_text(string_node(member.key, member.at), "\"example.com\"", complainer(path))) continue;
    const Result<std::string> account = parse_account_name(member.key);
    if (!account) {
      complain(member.at, path, account.error().message);
      continue;
    }
    if (const auto [other, fresh] = seen.emplace(*account, &member); !fresh) {
      const ConfigMember& later = member.at < other->second->at ? *other->second : member;
      complain(later.at, below(kAccounts, later.key),
               fmt::format("{} is given twice; upper and lower case are the same here",
                           quoted(*account)));
    }
    if (is_table(member.value, path)) read_account(member.value, path, config_.accounts[*account]);
  }
}

void ConfigReader::read_account(const ConfigNode& table, const std::string& path,
                                AccountSettings& settings) {
  for (const ConfigMember& member : table.members)
    read_setting(member, below(path, member.key), settings);
}

void ConfigReader::read_setting(const ConfigMember& member, const std::string& path,
                                AccountSettings& settings) {
  std::vector<std::string_view> names;
  for (const SettingRow& row : setting_rows()) names.push_back(row.key);
  const auto row =
      std::find_if(setting_rows().begin(), setting_rows().end(),
                   [&member](const SettingRow& candidate) { return candidate.key == member.key; });
  if (row == setting_rows().end()) {
    // [accounts.example.com] is, to TOML, a table "com" within the account "example".
    const bool dotted = member.value.is(ConfigNode::Kind::table);
    const std::string hint =
        dotted ? "a name with a dot stands in quotes: [accounts.\"example.com\"]" : "";
    return complain_unknown(member, path, names, hint);
  }
  const Complain report = complainer(path);
  if (row->form == SettingForm::limits || row->form == SettingForm::list) {
    return read_list(member, *row, settings, report);
  }
  std::string text = member.value.text;
  if (row->form == SettingForm::number) {
    constexpr int kMost = 1'000'000'000;
    int number = 0;
    bool sound = true;
    read_number(member.value, 0, kMost, number, [&](const ConfigNode& where, std::string reason) {
      sound = false;
      report(where, std::move(reason));
    });
    if (!sound) return;
    text = std::to_string(number);
  } else if (row->form == SettingForm::flag) {
    if (!member.value.is(ConfigNode::Kind::boolean)) {
      return report(member.value, "expected true or false, found " + describe(member.value));
    }
    text = member.value.boolean ? "true" : "false";
  } else if (!is_text(member.value, toml_string(row->takes.substr(0, row->takes.find(','))), report)) {
    return;
  }
  const Result<void> done = settings.set(member.key, text);
  if (!done) report(member.value, done.error().message);
}

void ConfigReader::read_list(const ConfigMember& member, const SettingRow& row,
                             AccountSettings& settings, const Complain& complain) {
  const std::string first = toml_string(row.takes.substr(0, row.takes.find(',')));
  if (!member.value.is(ConfigNode::Kind::array)) {
    return complain(member.value, fmt::format("expected an array such as [{}], found {}", first,
                                              describe(member.value)));
  }
  std::vector<std::string> items;
  bool sound = true;
  for (const ConfigNode& item : member.value.items) {
    if (!is_text(item, first, complain)) {
      sound = false;
      continue;
    }
    if (row.form == SettingForm::limits && item.text.find('/') == std::string::npos) {
      complain(item,
               fmt::format("{} is not a limit; expected N/WINDOW, e.g. {}, or [] for no limit",
                           quoted(item.text), first));
      sound = false;
      continue;
    }
    // Alone first, so that an error is told where it stands; all together below, for they may
    // contradict each other.
    const Result<void> done = AccountSettings{}.set(member.key, item.text);
    if (!done) complain(item, done.error().message);
    sound = sound && done.ok();
    items.push_back(item.text);
  }
  if (!sound) return;
  const Result<void> done = settings.set(member.key, fmt::format("{}", fmt::join(items, ", ")));
  if (!done) complain(member.value, done.error().message);
}

}  // namespace policyd
