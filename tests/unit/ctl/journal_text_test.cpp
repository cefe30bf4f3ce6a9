// Entries of the journal as policyctl shows them.
#include "policyd/ctl/journal_text.h"

#include <doctest/doctest.h>

namespace policyd {
namespace {

const Json kEntry = Json::parse(R"json({"id": "7K2M-9QXW-1T5P", "time": "2026-11-21T10:00:00.123Z", "node": "mx1",
  "action": "REJECT", "text": "5.7.1 Refused: no name (7K2M-9QXW-1T5P)", "direction": "incoming", "score": 12,
  "findings": [{"check": "reverse_dns", "score": 10, "outcome": "missing", "detail": "no name", "counted": true},
               {"check": "spf", "score": -2, "outcome": "pass", "detail": "ok", "counted": true},
               {"check": "ehlo", "score": 5, "outcome": "ours", "detail": "mx", "counted": false}],
  "cause": "score", "if_permit": false, "code": null, "account": null, "limit": null, "retry_after": null,
  "greylist": null, "block": null, "store_away": false,
  "request": {"protocol_state": "RCPT", "client_address": "192.0.2.1", "sender": "", "recipient": "bob@example.com",
              "instance": "1f.2a.0"}})json");

TEST_CASE("journal text: all of an entry") {
  CHECK(entry_text(kEntry, 0) == R"text(id          7K2M-9QXW-1T5P
time        2026-11-21T10:00:00.123Z
node        mx1
answer      REJECT 5.7.1 Refused: no name (7K2M-9QXW-1T5P)
because of  the score
direction   incoming
score       12

CHECK        SCORE  DETAIL
reverse_dns     10  no name
spf             -2  ok
ehlo           (5)  mx (dry run)

protocol_state  RCPT
client_address  192.0.2.1
sender          <>
recipient       bob@example.com
instance        1f.2a.0
)text");
}

TEST_CASE("journal text: an entry on a line") {
  CHECK(entry_line(kEntry) == "2026-11-21T10:00:00.123Z 7K2M-9QXW-1T5P mx1 REJECT score 192.0.2.1 <> <bob@example.com> "
                              "5.7.1 Refused: no name\n");
  Json odd = kEntry;
  odd["request"]["sender"] = "a\n\x1b[31m@example.org";
  odd["account"] = "joe";
  CHECK(entry_line(odd) == "2026-11-21T10:00:00.123Z 7K2M-9QXW-1T5P mx1 REJECT score account=joe 192.0.2.1 "
                           "<a??[31m@example.org> <bob@example.com> 5.7.1 Refused: no name\n");
}

Json held(const std::string& id, const std::string& recipient, const std::string& instance) {
  Json entry = kEntry;
  entry["id"] = id;
  entry["action"] = "HOLD";
  entry["request"]["recipient"] = recipient;
  entry["request"]["instance"] = instance;
  return entry;
}

Json queued(const std::string& node, const std::string& instance, const std::string& queue_id) {
  return {{"id", "x"}, {"node", node}, {"queued", {{"instance", instance}, {"queue_id", queue_id}}}};
}

TEST_CASE("journal text: what was held is a line for each message, with its queue id where that was told") {
  HeldMessages messages;
  CHECK(held_text(messages.to_json(), 0) == "nothing was held\n");
  messages.add(held("A", "bob@example.com", "1"));
  messages.add(queued("mx1", "2", "early"));  // its batch came first
  messages.add(held("B", "eve@example.com", "1"));
  messages.add(held("C", "bob@example.com", "2"));
  messages.add(held("D", "bob@example.com", ""));
  messages.add(queued("mx1", "1", "4XyZ"));
  messages.add(queued("mx2", "1", "other"));
  const Json json = messages.to_json();
  REQUIRE(json["held"].size() == 3);
  CHECK(json["held"][0] == Json({{"queue_id", "4XyZ"},
                                 {"time", "2026-11-21T10:00:00.123Z"},
                                 {"node", "mx1"},
                                 {"account", nullptr},
                                 {"sender", ""},
                                 {"recipients", Json::array({"bob@example.com", "eve@example.com"})},
                                 {"reasons", Json::array({"score 12: reverse_dns.missing"})},
                                 {"ids", Json::array({"A", "B"})}}));
  CHECK(json["held"][1]["queue_id"] == "early");
  CHECK(json["held"][2]["queue_id"] == nullptr);
  const std::string text = held_text(json, 0);
  CHECK(text.starts_with("QUEUE ID  TIME                      NODE  WHY  SENDER  RECIPIENTS"));
  CHECK(text.find("4XyZ      2026-11-21T10:00:00.123Z  mx1   A    <>      <bob@example.com> and 1 more  "
                  "score 12: reverse_dns.missing\n") != std::string::npos);
  CHECK(text.find("\n-         2026") != std::string::npos);
  CHECK(text.find("postsuper -H QUEUE_ID") != std::string::npos);
  CHECK(text.find("postsuper -d QUEUE_ID") != std::string::npos);
}

TEST_CASE("journal text: a limit is the reason where one was") {
  Json entry = held("A", "bob@example.com", "1");
  entry["cause"] = "limit";
  entry["limit"] = "messages 60/1m";
  HeldMessages messages;
  messages.add(entry);
  CHECK(messages.to_json()["held"][0]["reasons"] == Json::array({"limit messages 60/1m"}));
}

TEST_CASE("journal text: an entry of a limit ends in what every limit held") {
  Json entry = kEntry;
  entry["limits"] = Json::array(
      {{{"meter", "messages"}, {"limit", "60/1m"}, {"maximum", 60}, {"window", "1m"}, {"used", 60}, {"left", 0}},
       {{"meter", "bytes"}, {"limit", "2KB/1d"}, {"maximum", 2000}, {"window", "1d"}, {"used", 1}, {"left", 1999}}});
  const std::string text = entry_text(entry, 0);
  CAPTURE(text);
  CHECK(text.find("\nLIMIT             USED   LEFT  FULL\n"
                  "messages  60/1m     60      0  100%  [##########]\n"
                  "bytes     2KB/1d    1B  2.0KB    0%  [----------]\n") != std::string::npos);
  CHECK(entry_text(kEntry, 0).find("LIMIT") == std::string::npos);
}

}  // namespace
}  // namespace policyd
