// The configuration in force as TOML, and what of a change waits for a restart; see config.h.
//
// Both come from the rows of the schema. What is shown can be read back by parse_config, the masked
// password aside.
#include <algorithm>
#include <fmt/format.h>

#include "shared/config.h"
#include "shared/config_schema.h"
#include "shared/config_tables.h"
#include "shared/config_tree.h"
#include "shared/setting_values.h"

namespace policyd {
namespace {

void show_keys(std::string& out, const Config& config) {
  std::string_view open;
  for (const KeyRow& row : key_rows()) {
    const size_t dot = row.key.rfind('.');
    const std::string_view section = row.key.substr(0, dot);
    if (section != open) out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", section);
    open = section;
    out += fmt::format("{} = {}\n", row.key.substr(dot + 1), row.write(config));
  }
}

// One number where that says it for all outcomes, else one for each.
std::string show_weights(const CheckSpec& spec, const std::vector<int>& weights) {
  const bool same =
      std::adjacent_find(weights.begin(), weights.end(), std::not_equal_to<>()) == weights.end();
  const bool reaches_all = same && (weights.empty() || weights.front() == 0 ||
                                    std::none_of(spec.outcomes.begin(), spec.outcomes.end(),
                                                 [](const OutcomeSpec& each) { return each.by_name_only; }));
  if (reaches_all) return std::to_string(weights.empty() ? 0 : weights.front());
  std::string list;
  for (size_t i = 0; i < weights.size(); ++i) {
    list +=
        fmt::format("{}{} = {}", i == 0 ? "" : ", ", toml_key(spec.outcomes[i].name), weights[i]);
  }
  return fmt::format("{{ {} }}", list);
}

template <class Entry>
void show_table(std::string& out, std::string_view path, const std::vector<RowOf<Entry>>& rows, const Entry& entry) {
  out += fmt::format("\n[[{}]]\n", path);
  for (const RowOf<Entry>& row : rows) out += fmt::format("{} = {}\n", row.key, row.write(entry));
}

void show_check(std::string& out, const CheckSpec& spec, const CheckSettings& settings) {
  out += fmt::format("\n[checks.{}]\n", toml_key(spec.name));
  for (const Direction direction : {Direction::incoming, Direction::outgoing}) {
    out += fmt::format("{} = {}\n", direction_name(direction),
                       show_weights(spec, settings.weights[static_cast<size_t>(direction)]));
  }
  for (const CheckFlag& flag : check_flags(spec)) out += fmt::format("{} = {}\n", flag.key, settings.*flag.setting);
  const std::string path = fmt::format("checks.{}.zones", toml_key(spec.name));
  for (const ZoneSettings& zone : settings.zones) show_table(out, path, zone_rows(spec.zones), zone);
  const std::string domains = fmt::format("checks.{}.domains", toml_key(spec.name));
  for (const BatvDomain& domain : settings.batv_domains) show_table(out, domains, batv_domain_rows(), domain);
}

// A setting's text, as it stands in the file.
std::string show_setting(SettingForm form, const std::string& text) {
  switch (form) {
    case SettingForm::text: return toml_string(text);
    case SettingForm::flag: return text;
    case SettingForm::number: return says_none(text) ? "0" : text;
    default: break;
  }
  if (says_none(text)) return "[]";
  std::vector<std::string> list;
  for (const std::string& item : split_list(text)) list.push_back(toml_string(item));
  return fmt::format("[{}]", fmt::join(list, ", "));
}

void show_account(std::string& out, std::string_view name, const AccountSettings& settings) {
  out += fmt::format("\n[accounts.{}]\n", toml_key(name));
  const auto values = settings.to_map();
  for (const SettingRow& row : setting_rows()) {
    const auto value = values.find(std::string(row.key));
    if (value != values.end()) out += fmt::format("{} = {}\n", row.key, show_setting(row.form, value->second));
  }
}

}  // namespace

std::string show_config(const Config& config, std::span<const CheckSpec> checks) {
  std::string out;
  show_keys(out, config);
  for (const CheckSpec& spec : checks) {
    const auto settings = config.checks.find(spec.name);
    if (settings != config.checks.end()) show_check(out, spec, settings->second);
  }
  for (const AllowEntry& entry : config.allow) show_table(out, "allow", allow_rows(checks), entry);
  // What holds for all comes first.
  const auto common = config.accounts.find("default");
  if (common != config.accounts.end()) show_account(out, common->first, common->second);
  for (const auto& [name, settings] : config.accounts) {
    if (name != "default") show_account(out, name, settings);
  }
  return out;
}

std::vector<std::string> needs_restart(const Config& before, const Config& after) {
  std::vector<std::string> keys;
  for (const KeyRow& row : key_rows()) {
    if (row.reload == Reload::needs_restart && !row.same(before, after)) keys.emplace_back(row.key);
  }
  return keys;
}

void keep_until_restart(const Config& running, Config& fresh) {
  for (const KeyRow& row : key_rows()) {
    if (row.reload == Reload::needs_restart) row.keep(running, fresh);
  }
}

bool CheckSettings::applies(Direction direction) const {
  if (zone_kind != ZoneKind::none) {
    return std::any_of(zones.begin(), zones.end(), [direction](const ZoneSettings& zone) {
      return zone.weights[static_cast<size_t>(direction)] != 0;
    });
  }
  if (by_domain && batv_domains.empty()) return false;
  if (header && direction == Direction::incoming) return true;
  const std::vector<int>& outcomes = weights[static_cast<size_t>(direction)];
  return std::any_of(outcomes.begin(), outcomes.end(), [](int weight) { return weight != 0; });
}

}  // namespace policyd
