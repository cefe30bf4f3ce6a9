#include "policyd/spf/record.h"

#include <algorithm>
#include <array>
#include <optional>

#include "policyd/spf/macro.h"
#include "shared/text.h"

namespace policyd {
namespace {

constexpr std::string_view kVersion = "v=spf1";

bool is_name_character(char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; }

// `name` is in lower case.
bool is_named(std::string_view text, std::string_view name) {
  return std::equal(text.begin(), text.end(), name.begin(), name.end(), [](char a, char b) { return lower(a) == b; });
}

bool is_spf_record(std::string_view text) {
  if (!is_named(text.substr(0, kVersion.size()), kVersion)) return false;
  return text.size() == kVersion.size() || text[kVersion.size()] == ' ';
}

// What follows a mechanism's name.
enum class Takes : uint8_t { nothing, domain, optional_domain, optional_domain_and_prefixes, network };

struct MechanismRow {
  std::string_view name;
  SpfMechanism mechanism;
  Takes takes;
};
constexpr std::array kMechanisms = {
    MechanismRow{"all", SpfMechanism::all, Takes::nothing},
    MechanismRow{"include", SpfMechanism::include, Takes::domain},
    MechanismRow{"a", SpfMechanism::a, Takes::optional_domain_and_prefixes},
    MechanismRow{"mx", SpfMechanism::mx, Takes::optional_domain_and_prefixes},
    MechanismRow{"ptr", SpfMechanism::ptr, Takes::optional_domain},
    MechanismRow{"ip4", SpfMechanism::ip4, Takes::network},
    MechanismRow{"ip6", SpfMechanism::ip6, Takes::network},
    MechanismRow{"exists", SpfMechanism::exists, Takes::domain},
};

std::optional<SpfResult> qualifier_of(char c) {
  switch (c) {
    case '+': return SpfResult::pass;
    case '-': return SpfResult::fail;
    case '~': return SpfResult::softfail;
    case '?': return SpfResult::neutral;
    default: return std::nullopt;
  }
}

// All functions below say what is wrong, as the rest of a sentence; empty: nothing.
using Flaw = std::string_view;

// A prefix length: no leading zero, at most `longest`.
Flaw read_prefix(std::string_view digits, int longest, uint8_t& prefix) {
  constexpr Flaw kFlaw = "the prefix length is no number from 0 to 32 (IPv4) or 128 (IPv6)";
  if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return kFlaw;
  int number = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return kFlaw;
    number = number * 10 + (c - '0');
  }
  if (number > longest) return kFlaw;
  prefix = static_cast<uint8_t>(number);
  return {};
}

// Takes "/DIGITS" off the end of `text`; nothing where it does not end so.
std::optional<std::string_view> take_prefix(std::string_view& text) {
  const size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(slash + 1);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  text = text.substr(0, slash);
  return digits;
}

// dual-cidr-length: "/24", "//64", "/24//64", read from the end, as a domain-spec may hold "/" too.
Flaw read_prefixes(std::string_view& text, SpfDirective& directive) {
  auto digits = take_prefix(text);
  if (digits && text.ends_with('/')) {
    text.remove_suffix(1);
    if (const Flaw flaw = read_prefix(*digits, 128, directive.prefix_v6); !flaw.empty()) return flaw;
    digits = take_prefix(text);
  }
  return digits ? read_prefix(*digits, 32, directive.prefix_v4) : Flaw();
}

Flaw read_domain(std::string_view text, bool optional, SpfDirective& directive) {
  if (text.empty()) return optional ? Flaw() : Flaw("a domain is missing");
  if (text[0] != ':') return "what follows the name is neither \":\" nor a prefix length";
  directive.domain_spec = text.substr(1);
  return domain_spec_flaw(directive.domain_spec);
}

// IpAddress takes an IPv4-mapped address for its IPv4 address, which "ip6" never is.
IpAddress as_v6(const IpAddress& address) {
  if (address.v6) return address;
  IpAddress mapped;
  mapped.v6 = true;
  mapped.octets[10] = mapped.octets[11] = 0xff;
  std::copy_n(address.octets.begin(), 4, mapped.octets.begin() + 12);
  return mapped;
}

Flaw read_network(std::string_view text, SpfDirective& directive) {
  const bool v6 = directive.mechanism == SpfMechanism::ip6;
  if (!text.starts_with(':')) return "an address is missing";
  const size_t slash = text.find('/');
  const std::string_view address_text = text.substr(1, slash == std::string_view::npos ? slash : slash - 1);
  const auto address = IpAddress::parse(address_text);
  const bool has_colon = address_text.find(':') != std::string_view::npos;
  if (!address || has_colon != v6) return v6 ? "not an IPv6 network" : "not an IPv4 network";
  directive.address = v6 ? as_v6(*address) : *address;
  if (slash == std::string_view::npos) return {};
  return read_prefix(text.substr(slash + 1), v6 ? 128 : 32, v6 ? directive.prefix_v6 : directive.prefix_v4);
}

Flaw read_arguments(Takes takes, std::string_view text, SpfDirective& directive) {
  switch (takes) {
    case Takes::nothing: return text.empty() ? Flaw() : Flaw("takes nothing after its name");
    case Takes::domain: return read_domain(text, false, directive);
    case Takes::optional_domain: return read_domain(text, true, directive);
    case Takes::network: return read_network(text, directive);
    case Takes::optional_domain_and_prefixes: break;
  }
  if (const Flaw flaw = read_prefixes(text, directive); !flaw.empty()) return flaw;
  return read_domain(text, true, directive);
}

Flaw read_directive(std::string_view term, SpfRecord& record) {
  SpfDirective directive;
  directive.text = term;
  if (const auto qualifier = qualifier_of(term[0])) {
    directive.qualifier = *qualifier;
    term.remove_prefix(1);
  }
  const std::string_view name = term.substr(0, term.find_first_of(":/"));
  const auto* row = std::find_if(kMechanisms.begin(), kMechanisms.end(),
                                 [name](const MechanismRow& each) { return is_named(name, each.name); });
  if (row == kMechanisms.end()) return "not a mechanism, and not a modifier";
  directive.mechanism = row->mechanism;
  if (const Flaw flaw = read_arguments(row->takes, term.substr(name.size()), directive); !flaw.empty()) return flaw;
  record.directives.push_back(directive);
  return {};
}

Flaw read_known_modifier(std::string_view value, std::string_view& place) {
  if (!place.empty()) return "the modifier is there twice";
  place = value;
  return domain_spec_flaw(value);
}

Flaw read_term(std::string_view term, SpfRecord& record) {
  // A modifier has "=" right after its name, a mechanism never has.
  const auto name_end =
      is_letter(term[0]) ? std::find_if_not(term.begin(), term.end(), is_name_character) : term.begin();
  if (name_end == term.begin() || name_end == term.end() || *name_end != '=') return read_directive(term, record);
  const std::string_view name(term.begin(), name_end);
  const std::string_view value(name_end + 1, term.end());
  if (is_named(name, "redirect")) return read_known_modifier(value, record.redirect);
  if (is_named(name, "exp")) return read_known_modifier(value, record.exp);
  return macro_string_flaw(value);
}

}  // namespace

std::string_view spf_result_name(SpfResult result) {
  constexpr std::array<std::string_view, 7> kNames = {"none",     "neutral",   "pass",     "fail",
                                                      "softfail", "temperror", "permerror"};
  return kNames[static_cast<size_t>(result)];
}

Result<SpfRecord> parse_spf_record(std::string_view text) {
  SpfRecord record;
  record.directives.reserve(static_cast<size_t>(std::count(text.begin(), text.end(), ' ')));
  std::string_view rest = text.substr(kVersion.size());
  for (;;) {
    const size_t begin = rest.find_first_not_of(' ');
    if (begin == std::string_view::npos) return record;
    rest.remove_prefix(begin);
    const std::string_view term = rest.substr(0, rest.find(' '));
    if (const Flaw flaw = read_term(term, record); !flaw.empty()) {
      return Error{quoted(term, 100) + ": " + std::string(flaw)};
    }
    rest.remove_prefix(term.size());
  }
}

SpfSelection select_spf_record(const std::vector<std::string>& texts) {
  SpfSelection selection;
  for (const std::string& text : texts) {
    if (!is_spf_record(text)) continue;
    if (selection.count++ == 0) selection.text = text;
  }
  return selection;
}

}  // namespace policyd
