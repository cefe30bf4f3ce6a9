// Walks a document along the schema; see config_reader.h.
#include "shared/config_reader.h"

#include <algorithm>
#include <fmt/format.h>

#include "shared/config_tables.h"
#include "shared/duration.h"

namespace policyd {
namespace {

constexpr std::string_view kChecks = "checks";
constexpr std::string_view kAccounts = "accounts";
constexpr std::string_view kAllow = "allow";
constexpr std::string_view kZones = "zones";
constexpr std::string_view kDomains = "domains";

const KeyRow* find_row(std::string_view path) {
  for (const KeyRow& row : key_rows()) {
    if (row.key == path) return &row;
  }
  return nullptr;
}

// The names that may stand directly in `section`: keys and sections below it.
std::vector<std::string_view> names_in(std::string_view section) {
  std::vector<std::string_view> names;
  for (const KeyRow& row : key_rows()) {
    std::string_view rest = row.key;
    if (!section.empty()) {
      if (!rest.starts_with(section) || rest.substr(section.size(), 1) != ".") continue;
      rest.remove_prefix(section.size() + 1);
    }
    const std::string_view name = rest.substr(0, rest.find('.'));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  if (section.empty()) names.insert(names.end(), {kChecks, kAllow, kAccounts});
  return names;
}

// The sections that have a key of this name: "[store]" for "timeout".
std::string sections_with(std::string_view name) {
  std::string sections;
  for (const KeyRow& row : key_rows()) {
    const size_t dot = row.key.rfind('.');
    if (row.key.substr(dot + 1) != name) continue;
    sections += fmt::format("{}[{}]", sections.empty() ? "" : " or ", row.key.substr(0, dot));
  }
  return sections;
}

}  // namespace

std::string join_path(std::string_view section, std::string_view key) {
  return section.empty() ? toml_key(key) : fmt::format("{}.{}", section, toml_key(key));
}

void ConfigReader::read(const ConfigNode& document) {
  read_section(document, "");
  if (timing_at_) check_timing();
  if (greylist_at_) check_greylist();
  if (notify_at_) check_notify();
  if (redact_at_) check_redact();
}

// A charge may take two round trips to the store, after the checks: both have to fit.
void ConfigReader::check_timing() {
  const Milliseconds timeout = config_.store.timeout;
  const Milliseconds deadline = config_.server.deadline;
  if (4 * timeout <= deadline) return;
  complain(*timing_at_, timing_key_,
           fmt::format("a store.timeout of {} is more than a quarter of the server.deadline of {}: a request could not "
                       "be answered in time",
                       format_duration(timeout), format_duration(deadline)));
}

// Nobody could pass where the time to do so is over before he may.
void ConfigReader::check_greylist() {
  const Milliseconds block = config_.greylist.block;
  const Milliseconds pass = config_.greylist.pass;
  if (block < pass) return;
  complain(*greylist_at_, greylist_key_,
           fmt::format("a greylist.block of {} is not less than the greylist.pass of {}: nobody could pass",
                       format_duration(block), format_duration(pass)));
}

// No shell looks for it.
void ConfigReader::check_notify() {
  const std::vector<std::string>& command = config_.notify.command;
  if (command.empty() || command.front().starts_with('/')) return;
  complain(*notify_at_, "notify.command",
           quoted(command.front()) + " is not an absolute path; write e.g. \"/usr/lib/policyd/notify-mail\"");
}

// Without a secret whoever guesses an address can tell that it is the one.
void ConfigReader::check_redact() {
  if (!config_.journal.redact || !config_.journal.redact_key.empty()) return;
  complain(*redact_at_, "journal.redact",
           "needs journal.redact_key, the same on every node; make one with `openssl rand -hex 16`");
}

std::vector<ConfigProblem> ConfigReader::problems() const {
  std::vector<ConfigProblem> sorted = problems_;
  std::stable_sort(
      sorted.begin(), sorted.end(),
      [](const ConfigProblem& left, const ConfigProblem& right) { return left.at < right.at; });
  return sorted;
}

void ConfigReader::read_section(const ConfigNode& section, const std::string& path) {
  for (const ConfigMember& member : section.members) read_member(member, path);
}

void ConfigReader::read_member(const ConfigMember& member, const std::string& section) {
  const std::string path = join_path(section, member.key);
  if (path == "store.timeout" || path == "server.deadline") {
    timing_at_ = member.value.at;
    timing_key_ = path;
  }
  if (path == "notify.command") notify_at_ = member.value.at;
  const bool of_greylist = path == "greylist.block" || path == "greylist.pass";
  if (of_greylist && (!greylist_at_ || *greylist_at_ < member.value.at)) {
    greylist_at_ = member.value.at;
    greylist_key_ = path;
  }
  if (path == "journal.redact") redact_at_ = member.value.at;
  if (const KeyRow* row = find_row(path)) return row->read(member.value, config_, complainer(path));
  if (path == kAllow) return read_allow(member.value);
  const bool is_section = path == kChecks || path == kAccounts || !names_in(path).empty();
  if (!is_section) {
    const std::string sections = sections_with(member.key);
    const std::string hint = sections.empty() ? "" : "it belongs in " + sections;
    return complain_unknown(member, path, names_in(section), hint);
  }
  if (!is_table(member.value, path)) return;
  if (path == kChecks) return read_checks(member.value);
  if (path == kAccounts) return read_accounts(member.value);
  read_section(member.value, path);
}

void ConfigReader::read_checks(const ConfigNode& section) {
  std::vector<std::string_view> names;
  for (const CheckSpec& spec : checks_) names.push_back(spec.name);
  for (const ConfigMember& member : section.members) {
    const std::string path = join_path(kChecks, member.key);
    const auto spec = std::find_if(
        checks_.begin(), checks_.end(),
        [&member](const CheckSpec& candidate) { return candidate.name == member.key; });
    if (spec == checks_.end()) {
      complain_unknown(member, path, names);
    } else if (is_table(member.value, path)) {
      read_check(member.value, *spec, path);
    }
  }
}

void ConfigReader::read_check(const ConfigNode& table, const CheckSpec& spec,
                              const std::string& path) {
  CheckSettings& settings = config_.checks.find(spec.name)->second;
  const std::vector<CheckFlag> flags = check_flags(spec);
  const ConfigMember* zones = nullptr;
  for (const ConfigMember& member : table.members) {
    const std::string key = join_path(path, member.key);
    const auto flag =
        std::find_if(flags.begin(), flags.end(), [&member](const CheckFlag& each) { return each.key == member.key; });
    if (member.key == direction_name(Direction::incoming)) {
      read_weights(member.value, spec, key,
                   settings.weights[static_cast<size_t>(Direction::incoming)]);
    } else if (member.key == direction_name(Direction::outgoing)) {
      read_weights(member.value, spec, key,
                   settings.weights[static_cast<size_t>(Direction::outgoing)]);
    } else if (flag != flags.end()) {
      read_flag(member.value, settings.*flag->setting, complainer(key));
    } else if (member.key == kZones && spec.zones != ZoneKind::none) {
      zones = &member;
    } else if (member.key == kDomains && spec.batv_domains) {
      read_domains(member.value, key, settings);
    } else {
      std::vector<std::string_view> known = {"incoming", "outgoing"};
      for (const CheckFlag& each : flags) known.push_back(each.key);
      if (spec.zones != ZoneKind::none) known.push_back(kZones);
      if (spec.batv_domains) known.push_back(kDomains);
      complain_unknown(member, key, known);
    }
  }
  // Last, for entries without weights have those of the check.
  if (zones) read_zones(zones->value, spec, join_path(path, kZones), settings);
}

void ConfigReader::read_weights(const ConfigNode& value, const CheckSpec& spec,
                                const std::string& path, std::vector<int>& weights) {
  if (value.is(ConfigNode::Kind::integer)) {
    int weight = 0;
    read_number(value, -kLargestWeight, kLargestWeight, weight, complainer(path));
    for (size_t i = 0; i < weights.size(); ++i) {
      if (weight == 0 || !spec.outcomes[i].by_name_only) weights[i] = weight;
    }
    return;
  }
  std::vector<std::string_view> names;
  for (const OutcomeSpec& outcome : spec.outcomes) names.push_back(outcome.name);
  if (!value.is(ConfigNode::Kind::table)) {
    const std::string_view example = names.empty() ? "outcome" : names.front();
    return complain(
        value.at, path,
        fmt::format(
            "expected a weight such as 10, or one for each outcome such as {{ {} = 10 }}, found {}",
            toml_key(example), describe(value)));
  }
  for (const ConfigMember& member : value.members) {
    const std::string key = join_path(path, member.key);
    const auto found = std::find(names.begin(), names.end(), member.key);
    if (found == names.end()) {
      complain_unknown(member, key, names);
    } else {
      const auto index = static_cast<size_t>(found - names.begin());
      read_number(member.value, -kLargestWeight, kLargestWeight, weights[index], complainer(key));
    }
  }
}

bool ConfigReader::is_table(const ConfigNode& value, const std::string& path) {
  if (value.is(ConfigNode::Kind::table)) return true;
  complain(value.at, path,
           fmt::format("expected a table, written [{}], found {}", path, describe(value)));
  return false;
}

void ConfigReader::complain_unknown(const ConfigMember& member, const std::string& path,
                                    const std::vector<std::string_view>& known,
                                    const std::string& hint) {
  const std::string_view meant = nearest(member.key, known);
  if (!meant.empty())
    return complain(member.at, path, fmt::format("unknown key; did you mean {}?", quoted(meant)));
  if (!hint.empty()) return complain(member.at, path, "unknown key; " + hint);
  complain(member.at, path, "unknown key; expected " + list_names(known));
}

void ConfigReader::complain(ConfigPosition at, std::string key, std::string reason) {
  // An account setting's own message begins with its key, which is said already.
  const std::string_view last = std::string_view(key).substr(key.rfind('.') + 1);
  if (reason.starts_with(fmt::format("{}: ", last))) reason.erase(0, last.size() + 2);
  problems_.push_back({at, std::move(key), std::move(reason)});
}

Complain ConfigReader::complainer(const std::string& key) {
  return [this, key](const ConfigNode& where, std::string reason) {
    complain(where.at, key, std::move(reason));
  };
}

}  // namespace policyd
