// The lists of tables in a document: [[checks.NAME.zones]], [[checks.NAME.domains]] and [[allow]]; see config_reader.h.
#include "shared/config_reader.h"

#include <algorithm>
#include <fmt/format.h>

#include "shared/config_tables.h"
#include "shared/text.h"

namespace policyd {

namespace {

bool has(const ConfigNode& table, std::string_view key) {
  return std::any_of(table.members.begin(), table.members.end(),
                     [key](const ConfigMember& member) { return member.key == key; });
}

}  // namespace

template <class Entry>
ConfigReader::Tables<Entry> ConfigReader::read_tables(const ConfigNode& value, const std::string& path,
                                                      const std::vector<RowOf<Entry>>& rows, const Entry& initial) {
  Tables<Entry> tables;
  if (!value.is(ConfigNode::Kind::array)) {
    complain(value.at, path, fmt::format("expected tables, each written [[{}]], found {}", path, describe(value)));
    return tables;
  }
  std::vector<std::string_view> known;
  for (const RowOf<Entry>& row : rows) known.push_back(row.key);
  for (const ConfigNode& table : value.items) {
    Entry& entry = tables.entries.emplace_back(initial);
    const size_t complaints = problems_.size();
    if (!table.is(ConfigNode::Kind::table)) {
      complain(table.at, path, fmt::format("expected a table, written [[{}]], found {}", path, describe(table)));
    }
    for (const ConfigMember& member : table.members) {
      const std::string key = join_path(path, member.key);
      const auto row =
          std::find_if(rows.begin(), rows.end(), [&member](const auto& each) { return each.key == member.key; });
      if (row == rows.end()) {
        complain_unknown(member, key, known);
      } else {
        row->read(member.value, entry, complainer(key));
      }
    }
    tables.sound.push_back(problems_.size() == complaints);
  }
  return tables;
}

void ConfigReader::read_zones(const ConfigNode& value, const CheckSpec& spec, const std::string& path,
                              CheckSettings& settings) {
  ZoneSettings initial;
  for (size_t direction = 0; direction < initial.weights.size(); ++direction) {
    initial.weights[direction] = settings.weights[direction].front();
  }
  auto [zones, sound] = read_tables(value, path, zone_rows(spec.zones), initial);
  settings.zones = std::move(zones);
  for (size_t i = 0; i < settings.zones.size(); ++i) {
    const ZoneSettings& entry = settings.zones[i];
    const ConfigNode& table = value.items[i];
    if (!sound[i]) continue;
    const bool given = has(table, "zone");
    if (!given) complain(table.at, path, "an entry without a zone; write e.g. zone = \"zen.spamhaus.org\"");
    for (size_t earlier = 0; given && earlier < i; ++earlier) {
      const ZoneSettings& other = settings.zones[earlier];
      const bool same = other.zone == entry.zone && other.answers == entry.answers && other.names == entry.names;
      sound[i] = sound[i] && !(same && sound[earlier]);
    }
    if (!sound[i]) complain(table.at, path, quoted(entry.zone) + " is given twice with the same answers; remove one");
  }
}

void ConfigReader::read_domains(const ConfigNode& value, const std::string& path, CheckSettings& settings) {
  auto [domains, sound] = read_tables(value, path, batv_domain_rows(), BatvDomain{});
  settings.batv_domains = std::move(domains);
  for (size_t i = 0; i < settings.batv_domains.size(); ++i) {
    const ConfigNode& table = value.items[i];
    if (!sound[i]) continue;
    const std::string& name = settings.batv_domains[i].domain;
    if (!has(table, "domain")) {
      complain(table.at, path, "an entry without a domain; write e.g. domain = \"example.com\"");
    } else if (!has(table, "keys")) {
      complain(table.at, path, "an entry without keys; write e.g. keys = [\"1:SECRET\"]");
    } else if (std::any_of(settings.batv_domains.begin(), settings.batv_domains.begin() + static_cast<ptrdiff_t>(i),
                           [&name](const BatvDomain& earlier) { return earlier.domain == name; })) {
      complain(table.at, path, quoted(name) + " is given twice; remove one");
    }
  }
}

void ConfigReader::read_allow(const ConfigNode& value) {
  auto [entries, sound] = read_tables(value, "allow", allow_rows(checks_), AllowEntry{{}, {}, {}, {"all"}});
  config_.allow = std::move(entries);
  for (size_t i = 0; i < config_.allow.size(); ++i) {
    const auto& members = value.items[i].members;
    const bool whom = std::any_of(members.begin(), members.end(), [](const ConfigMember& member) {
      return member.key != "skip" && !(member.value.is(ConfigNode::Kind::array) && member.value.items.empty());
    });
    if (whom || !sound[i]) continue;
    complain(value.items[i].at, "allow",
             "an entry that holds for nobody; give it clients, sender_domains or recipients");
  }
}

}  // namespace policyd
