#include "shared/config_tables.h"

#include "shared/config_rows.h"
#include "shared/config_values.h"
#include "shared/duration.h"

namespace policyd {

namespace {

Text<ListedName> listed_name() {
  auto parse = [](std::string_view text) -> Result<ListedName> {
    const auto found = std::find(kListedNames.begin(), kListedNames.end(), text);
    if (found != kListedNames.end()) return static_cast<ListedName>(found - kListedNames.begin());
    return Error{quoted(text) + " is not known here; expected " +
                 list_names({kListedNames.begin(), kListedNames.end()})};
  };
  return {R"("sender")", parse, [](ListedName name) { return std::string(kListedNames[static_cast<size_t>(name)]); }};
}

RowOf<ZoneSettings> weight_row(std::string_view key, std::string_view summary, Direction direction) {
  const auto field = [direction](auto& zone) -> auto& {
    return zone.weights[static_cast<size_t>(direction)];
  };
  return number_row<ZoneSettings>({key, "", summary}, -kLargestWeight, kLargestWeight, field);
}

Text<Milliseconds> whole_days(std::string_view example) {
  static constexpr auto kLeast = std::chrono::days{1}, kMost = std::chrono::days{100};
  auto parse = [](std::string_view text) -> Result<Milliseconds> {
    const Result<Milliseconds> parsed = parse_duration(text);
    if (!parsed) return parsed;
    const bool whole = *parsed % std::chrono::days{1} == Milliseconds{0};
    if (whole && *parsed >= kLeast && *parsed <= kMost) return parsed;
    return Error{policyd::quoted(text) + " is out of range; expected whole days, from 1d to 100d"};
  };
  return {example, parse, format_duration};
}

// A list of secrets: unlike other lists it repeats nothing of what it complains of.
RowOf<BatvDomain> keys_row(const KeyWords& words) {
  const auto field = [](auto& domain) -> auto& { return domain.keys; };
  RowOf<BatvDomain> row = make_row<BatvDomain>(words, field);
  row.read = [](const ConfigNode& value, BatvDomain& domain, const Complain& complain) {
    constexpr std::string_view kExample = R"("1:SECRET")";
    if (!value.is(ConfigNode::Kind::array) || value.items.empty()) {
      return complain(value, fmt::format("expected an array of at least one key such as [{}]", kExample));
    }
    std::vector<BatvKey> keys;
    for (const ConfigNode& item : value.items) {
      if (!is_text(item, kExample, complain)) continue;
      Result<BatvKey> key = BatvKey::parse(item.text);
      if (!key) {
        complain(item, key.error().message);
      } else if (std::any_of(keys.begin(), keys.end(), [&](const auto& each) { return each.number == key->number; })) {
        complain(item, fmt::format("key number {} is given twice; remove one", key->number));
      } else {
        keys.push_back(*std::move(key));
      }
    }
    domain.keys = std::move(keys);
  };
  row.write = [](const BatvDomain& domain) {
    std::vector<std::string> list;
    for (const BatvKey& key : domain.keys) list.push_back(toml_string(key.to_string()));
    return fmt::format("[{}]", fmt::join(list, ", "));
  };
  return row;
}

// clang-format off: a table is read by its columns
std::vector<RowOf<ZoneSettings>> make_zone_rows(ZoneKind kind) {
  std::vector<RowOf<ZoneSettings>> rows = {
      text_row<ZoneSettings>(
          {"zone", "", "where the list is asked"}, plain(R"("zen.spamhaus.org")", parse_zone),
          [](auto& z) -> auto& { return z.zone; }),
      text_row<ZoneSettings>(
          {"answers", R"("")", "which answers count"}, value_of<AnswerFilter>(R"("127.0.0.[2..11;30]")"),
          [](auto& z) -> auto& { return z.answers; }),
      text_row<ZoneSettings>(
          {"label", R"("")", "what clients are told in place of the zone"},
          plain(R"("Spamhaus ZEN")", parse_zone_label), [](auto& z) -> auto& { return z.label; }),
      weight_row("incoming", "what a listing weighs in incoming mail", Direction::incoming),
      weight_row("outgoing", "what a listing weighs in outgoing mail", Direction::outgoing),
  };
  if (kind == ZoneKind::names) {
    rows.push_back(list_row<ZoneSettings>(
        {"names", R"(["sender", "ehlo", "client"])", "which names are looked up"}, listed_name(),
        [](auto& z) -> auto& { return z.names; }, Items::at_least_one));
  }
  return rows;
}
// clang-format on

}  // namespace

const std::vector<RowOf<ZoneSettings>>& zone_rows(ZoneKind kind) {
  static const std::vector<RowOf<ZoneSettings>> kAddresses = make_zone_rows(ZoneKind::addresses);
  static const std::vector<RowOf<ZoneSettings>> kNames = make_zone_rows(ZoneKind::names);
  return kind == ZoneKind::names ? kNames : kAddresses;
}

const std::vector<RowOf<BatvDomain>>& batv_domain_rows() {
  static const std::vector<RowOf<BatvDomain>> kRows = {
      text_row<BatvDomain>(
          {"domain", "", "whose bounces are checked"}, plain(R"("example.com")", parse_host_name),
          [](auto& d) -> auto& { return d.domain; }),
      keys_row({"keys", "", "what its addresses are signed with"}),
      text_row<BatvDomain>(
          {"lifetime", R"("7d")", "how long a tag holds"}, whole_days(R"("7d")"),
          [](auto& d) -> auto& { return d.lifetime; }),
  };
  return kRows;
}

std::vector<RowOf<AllowEntry>> allow_rows(std::span<const CheckSpec> checks) {
  std::vector<std::string_view> names = {"all"};
  for (const CheckSpec& spec : checks) names.push_back(spec.name);
  names.push_back(kGreylistName);
  return {
      list_row<AllowEntry>(
          {"clients", "[]", "networks, and confirmed client names with what lies below"},
          value_of<AllowedClient>(R"("192.0.2.0/24")"), [](auto& e) -> auto& { return e.clients; }),
      list_row<AllowEntry>(
          {"sender_domains", "[]", "sender domains, with proof"}, plain(R"("example.com")", parse_covering_domain),
          [](auto& e) -> auto& { return e.sender_domains; }),
      list_row<AllowEntry>(
          {"recipients", "[]", "recipients, or local parts of every domain"},
          plain(R"("postmaster")", parse_allowed_recipient), [](auto& e) -> auto& { return e.recipients; }),
      list_row<AllowEntry>(
          {"skip", R"(["all"])", "the checks that are not applied"}, one_of(R"("dnsbl")", names),
          [](auto& e) -> auto& { return e.skip; }, Items::at_least_one),
  };
}

std::vector<CheckFlag> check_flags(const CheckSpec& spec) {
  std::vector<CheckFlag> flags = {{"block", &CheckSettings::block}, {"dry_run", &CheckSettings::dry_run}};
  if (!spec.header_key.empty()) flags.push_back({spec.header_key, &CheckSettings::header});
  return flags;
}

}  // namespace policyd
