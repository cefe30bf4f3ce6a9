// What is recognised again as the same recipient of the same message, and what is remembered of it.
#include "policyd/recent_decisions.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/make_request.h"

namespace policyd {
namespace {

const std::string kRequest =
    "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=192.0.2.7\nclient_name=mx.example.org\n"
    "reverse_client_name=mx.example.org\nhelo_name=mx.example.org\nsender=joe@example.org\n"
    "recipient=ann@example.com\nsasl_username=joe\ninstance=1f.2a.0\npolicy_context=incoming";

// kRequest with one attribute's line replaced, or without it where `value` is null.
std::string with(const std::string& name, const char* value) {
  const size_t at = kRequest.find("\n" + name + "=");
  const size_t end = kRequest.find('\n', at + 1);
  const std::string rest = end == std::string::npos ? "" : kRequest.substr(end);
  return kRequest.substr(0, at) + (value ? "\n" + name + "=" + value : "") + rest;
}

TEST_CASE("recent_decisions: a request that differs in what a verdict depends on is a stranger") {
  struct Case {
    const char* attribute;
    const char* value;
    bool same_recipient, same_message;
  };
  const std::vector<Case> cases{
      {"instance", "1f.2a.1", false, false},
      {"client_address", "192.0.2.8", false, false},
      {"client_name", "unknown", false, true},
      {"reverse_client_name", "other.example.org", false, true},
      {"helo_name", "localhost", false, true},
      {"sender", "jim@example.org", false, false},
      {"sender", "", false, false},
      {"recipient", "bob@example.com", false, true},
      {"sasl_username", nullptr, false, true},
      {"policy_context", "outgoing", false, true},
      {"policy_context", nullptr, false, true},
      {"protocol_state", "DATA", true, true},
  };
  const RecentDecisions recent(1);
  const auto key = recent.key_of(*make_request(kRequest));
  const auto message = recent.message_key_of(*make_request(kRequest));
  CHECK(key == recent.key_of(*make_request(kRequest)));
  for (const Case& c : cases) {
    CAPTURE(c.attribute);
    const auto request = make_request(with(c.attribute, c.value));
    CHECK((recent.key_of(*request) == key) == c.same_recipient);
    CHECK((recent.message_key_of(*request) == message) == c.same_message);
  }
}

TEST_CASE("recent_decisions: what moves from one attribute to the next makes a stranger") {
  const RecentDecisions recent(1);
  std::set<uint64_t> keys;
  for (const char* lines : {"helo_name=ab\nsender=c", "helo_name=a\nsender=bc", "helo_name=abc", "sender=abc"}) {
    keys.insert(*recent.key_of(*make_request("request=smtpd_access_policy\ninstance=1\n" + std::string(lines))));
  }
  CHECK(keys.size() == 4);
}

TEST_CASE("recent_decisions: without an instance nothing is recognised again") {
  const RecentDecisions recent;
  CHECK_FALSE(recent.key_of(*make_request(with("instance", nullptr))).has_value());
  CHECK_FALSE(recent.message_key_of(*make_request(with("instance", ""))).has_value());
}

TEST_CASE("recent_decisions: every process has keys of its own") {
  const auto request = make_request(kRequest);
  CHECK(RecentDecisions(1).key_of(*request) != RecentDecisions(2).key_of(*request));
  CHECK(RecentDecisions().key_of(*request) != RecentDecisions().key_of(*request));
}

TEST_CASE("recent_decisions: the first decision stays, with its text and score") {
  RecentDecisions recent(1);
  CHECK(recent.find(1) == nullptr);
  recent.remember(1, Action::hold, "suspicious", 7);
  recent.remember(1, Action::dunno, "", 0);
  recent.remember(2, Action::dunno, "", -3);
  REQUIRE(recent.find(1) != nullptr);
  CHECK(recent.find(1)->action == Action::hold);
  CHECK(recent.find(1)->text() == "suspicious");
  CHECK(recent.find(1)->score == 7);
  REQUIRE(recent.find(2) != nullptr);
  CHECK(recent.find(2)->action == Action::dunno);
  CHECK(recent.find(2)->text().empty());
  CHECK(recent.find(2)->score == -3);
  recent.clear();
  CHECK(recent.find(1) == nullptr);
}

TEST_CASE("recent_decisions: bounded, the oldest go") {
  RecentDecisions recent(1);
  const uint64_t most = RecentDecisions::kEntries;
  for (uint64_t key = 1; key <= 2 * most; ++key) recent.remember(key, Action::hold, "held", 0);
  uint64_t known = 0;
  for (uint64_t key = 1; key <= 2 * most; ++key) known += recent.find(key) ? 1 : 0;
  CHECK(known == most);
  CHECK(recent.find(1) == nullptr);
  CHECK(recent.find(2 * most) != nullptr);
}

}  // namespace
}  // namespace policyd
