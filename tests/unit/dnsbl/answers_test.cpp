// What the answers of DNS lists mean.
#include "policyd/dnsbl/answers.h"

#include <doctest/doctest.h>

using namespace policyd;

namespace {

DnsAnswer answer_of(std::initializer_list<std::string_view> addresses) {
  DnsAnswer answer;
  answer.status = DnsStatus::found;
  for (const auto text : addresses) answer.addresses.push_back(*IpAddress::parse(text));
  return answer;
}

std::string describe(const Judgement& judgement) {
  constexpr std::string_view kNames[] = {"not listed", "listed", "error", "unknown"};
  return std::string(kNames[static_cast<size_t>(judgement.kind)]) + (judgement.why.empty() ? "" : ": " + judgement.why);
}

ZoneSettings entry_for(std::string_view answers) {
  ZoneSettings entry;
  entry.answers = *AnswerFilter::parse(answers);
  return entry;
}

}  // namespace

TEST_CASE("dnsbl answers: listings, errors and silence") {
  const std::string gone = ", which no list does: the list is gone, or the resolver makes answers up";
  struct Case {
    std::initializer_list<std::string_view> addresses;
    ZoneKind kind;
    std::string_view filter;
    std::string want;
  };
  constexpr auto kAddresses = ZoneKind::addresses;
  constexpr auto kNames = ZoneKind::names;
  const Case cases[] = {
      {{"127.0.0.2"}, kAddresses, "", "listed"},
      {{"127.0.0.2", "127.0.0.10"}, kAddresses, "", "listed"},
      {{"127.0.1.2"}, kNames, "", "listed"},
      {{"127.255.0.1"}, kAddresses, "", "listed"},
      {{"127.0.1.255"}, kAddresses, "", "listed"},
      {{"192.0.2.80"}, kAddresses, "", "error: answers 192.0.2.80" + gone},
      {{"127.0.0.2", "192.0.2.80"}, kAddresses, "127.0.0.2", "error: answers 192.0.2.80" + gone},
      {{"127.255.255.254"},
       kAddresses,
       "127.255.255.254",
       "error: answers 127.255.255.254: the list does not serve public resolvers: set [dns] servers to a resolver of "
       "your own"},
      {{"127.255.255.252"}, kNames, "", "error: answers 127.255.255.252: the zone's name is misspelt"},
      {{"127.255.255.255"},
       kNames,
       "",
       "error: answers 127.255.255.255: too many questions for the list's terms of use"},
      {{"127.255.255.1"}, kAddresses, "", "error: answers 127.255.255.1, which lists keep for errors"},
      {{"127.0.0.1"},
       kAddresses,
       "127.0.0.[1..11]",
       "error: answers 127.0.0.1: the list refuses to serve this resolver"},
      {{"127.0.0.1"}, kNames, "", "error: answers 127.0.0.1: the list refuses to serve this resolver"},
      {{"127.0.0.1"}, kNames, "127.0.0.1", "listed"},
      {{"127.0.1.255"}, kNames, "", "error: answers 127.0.1.255: the list was asked for an address"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.want);
    CHECK(describe(judge(answer_of(row.addresses), row.kind, {entry_for("127.0.0.9"), entry_for(row.filter)})) ==
          row.want);
  }
  const auto judged = [](DnsStatus status) {
    DnsAnswer answer;
    answer.status = status;
    return describe(judge(answer, ZoneKind::addresses, {}));
  };
  CHECK(judged(DnsStatus::no_domain) == "not listed");
  CHECK(judged(DnsStatus::no_data) == "not listed");
  CHECK(judged(DnsStatus::timed_out) == "unknown: no answer in time");
  CHECK(judged(DnsStatus::server_failure) == "unknown: its servers cannot tell (SERVFAIL, REFUSED)");
  CHECK(judged(DnsStatus::malformed) == "unknown: an answer that cannot be read");
}

TEST_CASE("dnsbl answers: test points are those of RFC 5782") {
  CHECK(test_points(ZoneKind::addresses).listed == "2.0.0.127");
  CHECK(test_points(ZoneKind::addresses).unlisted == "1.0.0.127");
  CHECK(test_points(ZoneKind::names).listed == "test");
  CHECK(test_points(ZoneKind::names).unlisted == "invalid");
  // RFC 5782, 5: ::FFFF:7F00:2.
  CHECK(test_points_v6().listed == "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0");
}
