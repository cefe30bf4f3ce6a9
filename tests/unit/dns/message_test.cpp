// Messages are put together octet by octet: what is wrong with each can be seen in its case.
#include "policyd/dns/message.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace policyd {
namespace {

using std::chrono::seconds;

enum : uint16_t { kA = 1, kCname = 5, kSoa = 6, kPtr = 12, kMx = 15, kTxt = 16, kAaaa = 28, kOpt = 41 };
constexpr uint16_t kGood = 0x8180;

std::string u8(unsigned n) { return std::string(1, static_cast<char>(n)); }
std::string u16(unsigned n) { return u8(n >> 8) + u8(n & 0xff); }
std::string u32(uint32_t n) { return u16(n >> 16) + u16(n & 0xffff); }

std::string name(std::string_view text) {
  std::string octets;
  while (!text.empty()) {
    const size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    octets += u8(static_cast<unsigned>(label.size())) + std::string(label);
    text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
  }
  return octets + u8(0);
}

std::string record(const std::string& owner, unsigned type, uint32_t ttl, const std::string& data, unsigned klass = 1) {
  return owner + u16(type) + u16(klass) + u32(ttl) + u16(static_cast<unsigned>(data.size())) + data;
}
std::string soa(uint32_t ttl, uint32_t minimum) {
  return record(name("example.com"), kSoa, ttl,
                name("ns.example.com") + name("x") + u32(1) + u32(2) + u32(3) + u32(4) + u32(minimum));
}

struct Parts {
  unsigned flags = kGood;
  unsigned type = kA;
  std::string question = name("example.com");
  std::vector<std::string> answers{}, authorities{}, others{};
};

std::string message(const Parts& parts) {
  std::string octets = u16(4711) + u16(parts.flags) + u16(1) + u16(static_cast<unsigned>(parts.answers.size())) +
                       u16(static_cast<unsigned>(parts.authorities.size())) +
                       u16(static_cast<unsigned>(parts.others.size())) + parts.question + u16(parts.type) + u16(1);
  for (const auto* section : {&parts.answers, &parts.authorities, &parts.others}) {
    for (const std::string& each : *section) octets += each;
  }
  return octets;
}

const std::string kAsked = u16(0xc00c);  // a pointer to the question's name
const std::string kAddress("\xc0\x00\x02\x01", 4);

DnsStatus status_of(const Parts& parts, DnsType type = DnsType::a) {
  return parse_message(message(parts), type).answer.status;
}

TEST_CASE("message: addresses, the least TTL counts") {
  const std::string other("\xcb\x00\x71\x09", 4);
  const auto reply = parse_message(
      message({.answers = {record(kAsked, kA, 300, kAddress), record(kAsked, kA, 60, other)}}), DnsType::a);
  REQUIRE(reply.answer.found());
  REQUIRE(reply.answer.addresses.size() == 2);
  CHECK(reply.answer.addresses[0].to_string() == "192.0.2.1");
  CHECK(reply.answer.addresses[1].to_string() == "203.0.113.9");
  CHECK(reply.ttl == seconds{60});
}

TEST_CASE("message: IPv6 addresses; a mapped one is its IPv4 address") {
  const std::string six("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
  const std::string mapped("\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01", 16);
  const auto reply = parse_message(
      message({.type = kAaaa, .answers = {record(kAsked, kAaaa, 1, six), record(kAsked, kAaaa, 1, mapped)}}),
      DnsType::aaaa);
  REQUIRE(reply.answer.addresses.size() == 2);
  CHECK(reply.answer.addresses[0].to_string() == "2001:db8::1");
  CHECK(reply.answer.addresses[1].to_string() == "192.0.2.1");
}

TEST_CASE("message: exchangers by preference, the null MX has an empty name") {
  const auto mx = [](unsigned preference, const std::string& host) {
    return record(kAsked, kMx, 1, u16(preference) + host);
  };
  const auto reply = parse_message(
      message({.type = kMx, .answers = {mx(20, name("B.example")), mx(10, u8(1) + "a" + kAsked), mx(20, name("c"))}}),
      DnsType::mx);
  CHECK(reply.answer.exchangers ==
        std::vector<MailExchanger>{{10, "a.example.com"}, {20, "b.example"}, {20, "c"}});
  const auto null_mx = parse_message(message({.type = kMx, .answers = {mx(0, name(""))}}), DnsType::mx);
  CHECK(null_mx.answer.exchangers == std::vector<MailExchanger>{{0, ""}});
}

TEST_CASE("message: the strings of a TXT record are one text") {
  const auto reply = parse_message(
      message({.type = kTxt,
               .answers = {record(kAsked, kTxt, 1, u8(3) + "v=s" + u8(0) + u8(3) + "pf1"),
                           record(kAsked, kTxt, 1, u8(0)), record(kAsked, kTxt, 1, ""),
                           record(kAsked, kTxt, 1, u8(2) + "\xff" + u8(0))}}),
      DnsType::txt);
  CHECK(reply.answer.texts == std::vector<std::string>{"v=spf1", "", "", std::string("\xff\0", 2)});
}

TEST_CASE("message: names in lower case, octets that read as something else escaped") {
  const auto ptr = [](const std::string& data) { return record(kAsked, kPtr, 1, data); };
  const auto reply = parse_message(message({.type = kPtr,
                                            .answers = {ptr(name("Mail.Example.COM")), ptr(u8(3) + "a.b" + name("c")),
                                                        ptr(u8(4) + "a\\ \xff" + name("")), ptr(name(""))}}),
                                   DnsType::ptr);
  CHECK(reply.answer.texts == std::vector<std::string>{"mail.example.com", "a\\.b.c", "a\\\\\\032\\255", ""});
}

TEST_CASE("message: aliases are followed, in any order, and their TTLs count") {
  const auto cname = [](const std::string& owner, const std::string& to, uint32_t ttl) {
    return record(name(owner), kCname, ttl, name(to));
  };
  const auto reply =
      parse_message(message({.answers = {record(name("c"), kA, 300, kAddress), cname("b", "C", 20),
                                         cname("EXAMPLE.com", "b", 200), record(name("other"), kA, 1, kAddress)}}),
                    DnsType::a);
  CHECK(reply.answer.addresses.size() == 1);
  CHECK(reply.ttl == seconds{20});
  CHECK(status_of({.answers = {cname("example.com", "b", 1)}}) == DnsStatus::no_data);
  CHECK(status_of({.flags = kGood | 3, .answers = {cname("example.com", "b", 1)}}) == DnsStatus::no_domain);
  CHECK(status_of({.answers = {cname("example.com", "b", 1), cname("b", "example.com", 1)}}) == DnsStatus::malformed);
  CHECK(status_of({.answers = {cname("example.com", "example.com", 1)}}) == DnsStatus::malformed);
  const auto none = parse_message(
      message({.answers = {cname("example.com", "b", 7)}, .authorities = {soa(60, 30)}}), DnsType::a);
  CHECK(none.ttl == seconds{7});
}

TEST_CASE("message: what is not there, and for how long (RFC 2308)") {
  struct Case {
    unsigned flags;
    std::vector<std::string> authorities;
    DnsStatus want;
    std::optional<seconds> want_ttl;
  };
  const Case cases[] = {
      {kGood | 3, {soa(300, 60)}, DnsStatus::no_domain, seconds{60}},
      {kGood | 3, {soa(30, 60)}, DnsStatus::no_domain, seconds{30}},
      {kGood | 3, {}, DnsStatus::no_domain, std::nullopt},
      {kGood, {soa(300, 0)}, DnsStatus::no_data, seconds{0}},
      {kGood, {soa(0x8000'0000, 60)}, DnsStatus::no_data, seconds{0}},
      {kGood, {record(name("example.com"), 2, 1, name("ns"))}, DnsStatus::server_failure, std::nullopt},
      {kGood, {record(name("example.com"), 2, 1, name("ns")), soa(300, 60)}, DnsStatus::no_data, seconds{60}},
      {kGood, {record(name("example.com"), kSoa, 1, name("cut"))}, DnsStatus::no_data, std::nullopt},
  };
  for (const Case& c : cases) {
    const auto reply = parse_message(message({.flags = c.flags, .authorities = c.authorities}), DnsType::a);
    CHECK(reply.answer.status == c.want);
    CHECK(reply.ttl == c.want_ttl);
  }
}

TEST_CASE("message: a server that cannot tell") {
  for (const unsigned rcode : {1U, 2U, 4U, 5U, 9U, 15U}) {
    CHECK(status_of({.flags = kGood | rcode}) == DnsStatus::server_failure);
  }
  CHECK(status_of({.others = {record(u8(0), kOpt, 0x0100'0000, "", 1232)}}) == DnsStatus::server_failure);  // BADVERS
  CHECK(status_of({.answers = {record(kAsked, kA, 1, kAddress)}, .others = {record(u8(0), kOpt, 0, "", 1232)}}) ==
        DnsStatus::found);
}

TEST_CASE("message: records of other names, types and classes are not the answer") {
  CHECK(status_of({.answers = {record(name("other.com"), kA, 1, kAddress)}}) == DnsStatus::malformed);
  CHECK(status_of({.answers = {record(kAsked, kTxt, 1, kAddress)}}) == DnsStatus::no_data);
  CHECK(status_of({.answers = {record(kAsked, kA, 1, kAddress, 3)}}) == DnsStatus::malformed);
}

TEST_CASE("message: what does not add up is malformed") {
  const Parts cases[] = {
      {.flags = 0x0100},                  // a question
      {.flags = kGood | 0x0200},          // cut
      {.type = kTxt},                     // answers another question
      {.question = u8(64) + std::string(64, 'a') + u8(0)},
      {.question = u16(0xc00c)},          // points to itself
      {.question = u16(0xc00e)},          // points ahead
      {.question = u16(0xffff)},
      {.question = u8(1) + "a" + u16(0xc00c)},
      {.question = u8(0x80) + "a" + u8(0)},
      {.answers = {record(kAsked, kA, 1, "abc")}},
      {.answers = {record(kAsked, kA, 1, "abcde")}},
      {.answers = {record(kAsked, kA, 1, "")}},
      {.answers = {record(u16(0xc0ff), kA, 1, kAddress)}},
      {.answers = {record(kAsked, kCname, 1, "\x05" "ab")}},
      {.answers = {kAsked + u16(kA) + u16(1) + u32(1) + u16(400) + "abcd"}},
      {.others = {"x"}},
  };
  for (const Parts& parts : cases) {
    CAPTURE(message(parts));
    CHECK(status_of(parts) == DnsStatus::malformed);
  }
  CHECK(status_of({.type = kTxt, .answers = {record(kAsked, kTxt, 1, u8(5) + "ab")}}, DnsType::txt) ==
        DnsStatus::malformed);
  CHECK(status_of({.type = kMx, .answers = {record(kAsked, kMx, 1, u16(1))}}, DnsType::mx) == DnsStatus::malformed);
  CHECK(status_of({.type = kMx, .answers = {record(kAsked, kMx, 1, u16(1) + name("a") + "x")}}, DnsType::mx) ==
        DnsStatus::malformed);
  std::string labels;
  for (int i = 0; i < 128; ++i) labels += u8(1) + "a";
  CHECK(status_of({.question = labels + u8(0)}) == DnsStatus::malformed);
}

TEST_CASE("message: cut anywhere, it is malformed") {
  const std::string whole = message({.question = name("example.com"),
                                     .answers = {record(kAsked, kA, 300, kAddress)},
                                     .authorities = {soa(1, 1)},
                                     .others = {record(u8(0), kOpt, 0, "", 1232)}});
  REQUIRE(parse_message(whole, DnsType::a).answer.found());
  for (size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(parse_message(std::string_view(whole).substr(0, size), DnsType::a).answer.status == DnsStatus::malformed);
  }
}

TEST_CASE("message: no more records than kMostRecords are used") {
  Parts parts;
  for (size_t i = 0; i < 2 * kMostRecords; ++i) parts.answers.push_back(record(kAsked, kA, 1, kAddress));
  CHECK(parse_message(message(parts), DnsType::a).answer.addresses.size() == kMostRecords);
}

}  // namespace
}  // namespace policyd
