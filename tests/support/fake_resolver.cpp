#include "tests/support/fake_resolver.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "policyd/dns/names.h"
#include "shared/text.h"

namespace policyd::test {
namespace {

struct TypeRow {
  std::string_view name;
  DnsType type;
};
constexpr std::array kTypes = {TypeRow{"A", DnsType::a}, TypeRow{"AAAA", DnsType::aaaa}, TypeRow{"MX", DnsType::mx},
                               TypeRow{"TXT", DnsType::txt}, TypeRow{"PTR", DnsType::ptr}};

struct TroubleRow {
  std::string_view name;
  DnsStatus status;
};
constexpr std::array kTroubles = {TroubleRow{"SERVFAIL", DnsStatus::server_failure},
                                  TroubleRow{"TIMEOUT", DnsStatus::timed_out},
                                  TroubleRow{"MALFORMED", DnsStatus::malformed},
                                  TroubleRow{"OVERLOADED", DnsStatus::overloaded}};

std::string canonical(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return to_lower(name);
}

std::string_view take_word(std::string_view& line) {
  line = trim(line);
  const bool quoted = line.starts_with('"');
  const size_t end = std::min(line.find(quoted ? '"' : ' ', 1), line.size());
  const std::string_view word = line.substr(quoted ? 1 : 0, quoted ? end - 1 : end);
  line = trim(line.substr(std::min(quoted ? end + 1 : end, line.size())));
  return word;
}

const TypeRow& type_named(std::string_view name) {
  const auto* row = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& each) { return each.name == name; });
  if (row == kTypes.end()) throw std::invalid_argument("no such type: " + std::string(name));
  return *row;
}

std::string with_octets(std::string_view text) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(1)) {
    if (!text.starts_with("\\x") || text.size() < 4) {
      out += text[0];
      continue;
    }
    int octet = 0;
    std::from_chars(text.data() + 2, text.data() + 4, octet, 16);
    out += static_cast<char>(octet);
    text.remove_prefix(3);
  }
  return out;
}

// The strings of a TXT record joined.
std::string joined(std::string_view value) {
  if (!value.starts_with('"')) return with_octets(value);
  std::string out;
  bool inside = false;
  for (const char c : value) {
    if (c == '"') {
      inside = !inside;
    } else if (inside) {
      out += c;
    }
  }
  return with_octets(out);
}

void append(DnsAnswer& answer, DnsType type, std::string_view value) {
  if (type == DnsType::a || type == DnsType::aaaa) {
    const auto address = IpAddress::parse(value);
    if (!address) throw std::invalid_argument("no address: " + std::string(value));
    answer.addresses.push_back(*address);
  } else if (type == DnsType::mx) {
    const std::string preference(take_word(value));
    answer.exchangers.push_back({static_cast<uint16_t>(std::stoi(preference)), canonical(value)});
    std::stable_sort(answer.exchangers.begin(), answer.exchangers.end(),
                     [](const auto& a, const auto& b) { return a.preference < b.preference; });
  } else {
    answer.texts.push_back(type == DnsType::txt ? joined(value) : canonical(value));
  }
}

}  // namespace

void FakeResolver::add(std::string_view zone) {
  while (!zone.empty()) {
    const size_t end = std::min(zone.find('\n'), zone.size());
    const std::string_view line = trim(zone.substr(0, end));
    if (!line.empty() && !line.starts_with("//")) add_line(line);
    zone.remove_prefix(std::min(end + 1, zone.size()));
  }
}

void FakeResolver::add_line(std::string_view line) {
  const std::string name = canonical(take_word(line));
  names_[name] = true;
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    names_.try_emplace(name.substr(dot + 1), false);
  }
  const std::string_view type = take_word(line);
  const auto* trouble =
      std::find_if(kTroubles.begin(), kTroubles.end(), [&](const TroubleRow& each) { return each.name == type; });
  if (trouble != kTroubles.end() && line.empty()) {
    troubles_[name] = trouble->status;
  } else if (trouble != kTroubles.end()) {
    records_[{type_named(line).type, name}].status = trouble->status;
  } else if (type == "CNAME") {
    aliases_[name] = canonical(line);
  } else {
    DnsAnswer& answer = records_[{type_named(type).type, name}];
    answer.status = DnsStatus::found;
    append(answer, type_named(type).type, line);
  }
}

std::string FakeResolver::owner_of(const std::string& name) const {
  if (names_.contains(name)) return name;
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    if (const std::string wildcard = "*" + name.substr(dot); names_.contains(wildcard)) return wildcard;
    if (names_.contains(name.substr(dot + 1))) return {};
  }
  return {};
}

DnsAnswerPtr FakeResolver::answer_to(const Question& question) const {
  auto answer = std::make_shared<DnsAnswer>();
  std::string name = question.second;
  for (int links = 0; links < 8; ++links) {
    const std::string owner = owner_of(name);
    answer->status = owner.empty() ? DnsStatus::no_domain : DnsStatus::no_data;
    if (const auto found = records_.find({question.first, owner}); found != records_.end()) {
      *answer = found->second;
    } else if (const auto trouble = troubles_.find(owner); trouble != troubles_.end()) {
      answer->status = trouble->second;
    } else if (const auto alias = aliases_.find(owner); alias != aliases_.end()) {
      name = alias->second;
      continue;
    }
    break;
  }
  return answer;
}

DnsLookup FakeResolver::query(std::string_view name, DnsType type) {
  const Question question{type, canonical(name)};
  if (!DnsName::parse(question.second)) {
    auto refused = std::make_shared<DnsAnswer>();
    refused->status = DnsStatus::bad_name;
    return DnsLookup(std::move(refused));
  }
  if (const auto kept = cache_.find(question); kept != cache_.end()) return DnsLookup(kept->second);
  auto& pending = pending_[question];
  if (!pending) {
    const auto* row =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& each) { return each.type == type; });
    asked_.push_back(std::string(row->name) + " " + question.second);
    if (!later_) {
      pending_.erase(question);
      return DnsLookup(cache_[question] = answer_to(question));
    }
    pending = std::make_unique<Pending>();
  }
  return DnsLookup(*pending);
}

bool FakeResolver::deliver(Milliseconds took) {
  auto waiting = std::exchange(pending_, {});
  for (const auto& [question, query] : waiting) cache_[question] = answer_to(question);
  for (const auto& [question, query] : waiting) query->answer(cache_[question], took);
  return !waiting.empty();
}

void FakeResolver::forget() {
  asked_.clear();
  cache_.clear();
}

}  // namespace policyd::test
