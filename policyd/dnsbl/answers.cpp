#include "policyd/dnsbl/answers.h"

#include <algorithm>
#include <array>

namespace policyd {

namespace {

using Octets = std::array<uint8_t, 4>;

// Answers that say something else than "listed".
struct ErrorAnswer {
  Octets answer;
  ZoneKind kind;  // the lists that use it; none: all
  bool reserved;  // never a listing; otherwise a filter for this one address makes it one
  std::string_view meaning;
};
constexpr ErrorAnswer kErrorAnswers[] = {
    {{127, 255, 255, 252}, ZoneKind::none, true, "the zone's name is misspelt"},
    {{127, 255, 255, 254},
     ZoneKind::none,
     true,
     "the list does not serve public resolvers: set [dns] servers to a resolver of your own"},
    {{127, 255, 255, 255}, ZoneKind::none, true, "too many questions for the list's terms of use"},
    // URIBL and SURBL, for those they refuse.
    {{127, 0, 0, 1}, ZoneKind::none, false, "the list refuses to serve this resolver"},
    // Spamhaus DBL.
    {{127, 0, 1, 255}, ZoneKind::names, false, "the list was asked for an address"},
};

bool is_reserved(const IpAddress& address) {
  return address.octets[0] == 127 && address.octets[1] == 255 && address.octets[2] == 255;
}

// Why an answer is no listing; empty: it is one.
std::string error_of(const IpAddress& address, ZoneKind kind, const std::vector<ZoneSettings>& entries) {
  if (address.v6 || address.octets[0] != 127) {
    return "answers " + address.to_string() +
           ", which no list does: the list is gone, or the resolver makes answers up";
  }
  const Octets octets = {address.octets[0], address.octets[1], address.octets[2], address.octets[3]};
  for (const ErrorAnswer& row : kErrorAnswers) {
    if (row.answer != octets || (row.kind != ZoneKind::none && row.kind != kind)) continue;
    const bool wanted =
        !row.reserved && std::any_of(entries.begin(), entries.end(), [&address](const ZoneSettings& entry) {
          return entry.answers.is_exactly(address);
        });
    return wanted ? "" : "answers " + address.to_string() + ": " + std::string(row.meaning);
  }
  return is_reserved(address) ? "answers " + address.to_string() + ", which lists keep for errors" : "";
}

std::string_view why_unknown(DnsStatus status) {
  if (status == DnsStatus::timed_out) return "no answer in time";
  if (status == DnsStatus::server_failure) return "its servers cannot tell (SERVFAIL, REFUSED)";
  if (status == DnsStatus::overloaded) return "not asked, too many DNS questions are under way";
  return "an answer that cannot be read";
}

IpAddress mapped(uint8_t last) {
  IpAddress address;
  address.v6 = true;
  address.octets = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, last};
  return address;
}

}  // namespace

Judgement judge(const DnsAnswer& answer, ZoneKind kind, const std::vector<ZoneSettings>& entries) {
  if (answer.empty()) return {Judgement::Kind::not_listed, {}};
  if (answer.unknown()) return {Judgement::Kind::unknown, std::string(why_unknown(answer.status))};
  for (const IpAddress& address : answer.addresses) {
    std::string why = error_of(address, kind, entries);
    if (!why.empty()) return {Judgement::Kind::error, std::move(why)};
  }
  return {Judgement::Kind::listed, {}};
}

TestPoints test_points(ZoneKind kind) {
  if (kind == ZoneKind::names) return {"test", "invalid", "INVALID"};
  return {"2.0.0.127", "1.0.0.127", "127.0.0.1"};
}

TestPoints test_points_v6() {
  return {reversed(mapped(2)), reversed(mapped(1)), "::FFFF:7F00:1"};
}

}  // namespace policyd
