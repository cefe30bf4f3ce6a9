// The engine and messages that never come to their end: what is counted of them, and what is given back.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "policyd/outgoing.h"
#include "tests/support/engine_rig.h"
#include "tests/support/postfix_connection.h"

namespace policyd {
namespace {

using test::Attributes;
using test::EngineRig;
using test::kQueueId;
using test::PostfixConnection;

const std::string kInvalid = "[accounts.default]\ninvalid_recipients = [\"50/1d\"]\n";
const Attributes kSubmission{{"server_address", "192.0.2.25"}, {"server_port", "587"}};
const Attributes kSmtp{{"server_address", "192.0.2.25"}, {"server_port", "25"}};

TEST_CASE("engine: whether Postfix asks at the end of messages is known of each of its services") {
  const Attributes lan{{"server_address", "192.0.2.25"}, {"server_port", "587"}, {"sasl_username", ""},
                       {"client_address", "127.0.0.9"}};
  for (const Attributes& other : {kSmtp, lan}) {
    EngineRig rig(kInvalid);
    PostfixConnection submission(rig, kSubmission), unasked(rig, other);
    submission.rcpt("a@x.example", "1");
    submission.data("1");
    for (const char* instance : {"2", "3", "4"}) unasked.rcpt("a@x.example", instance, kQueueId);
    rig.engine.end(unasked.transaction);
    CHECK(submission.invalid().empty());
    submission.rcpt("a@x.example", "5");
    rig.engine.end(submission.transaction);
    CHECK(submission.invalid() == std::vector<int64_t>{1});
  }
}

TEST_CASE("engine: whether queue ids tell is known of each service") {
  EngineRig rig(kInvalid);
  PostfixConnection behind_filter(rig, kSmtp), submission(rig, kSubmission);
  behind_filter.data("1", "");
  submission.data("2");
  for (int i = 0; i < 30; ++i) {
    behind_filter.rcpt("nobody" + std::to_string(i) + "@x.example", "3");
    submission.rcpt("nobody" + std::to_string(i) + "@x.example", "4");
  }
  rig.engine.end(behind_filter.transaction);
  rig.engine.end(submission.transaction);
  CHECK(submission.invalid() == std::vector<int64_t>{1, 30});
}

// What becomes of a recipient, and whether the message has a queue id by then.
enum class Fate : uint8_t { passes, blocked, limited };
struct Rcpt {
  Fate fate;
  bool has_queue_id;
};

TEST_CASE("engine: who gives up after policyd refused a recipient itself counts with what Postfix refused alone") {
  using enum Fate;
  struct Case {
    const char* label;
    std::vector<Rcpt> recipients;
    std::vector<int64_t> invalid;
  };
  const std::vector<Case> cases{
      {"Postfix accepted all", {{passes, false}, {passes, true}, {limited, true}}, {}},
      {"Postfix accepted the only one", {{passes, false}, {blocked, true}}, {}},
      {"Postfix refused the only one", {{passes, false}, {blocked, false}}, {1}},
      {"Postfix refused all", {{passes, false}, {passes, false}, {limited, false}}, {2}},
      {"Postfix refused one", {{passes, false}, {passes, false}, {limited, true}}, {1}},
      {"the client went on", {{passes, false}, {blocked, true}, {passes, true}}, {}},
      {"none of its own", {{passes, false}, {passes, true}}, {1}},
      {"before any passed", {{blocked, false}, {passes, false}}, {1}},
      {"none passed", {{blocked, false}, {limited, false}}, {}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    EngineRig rig(kInvalid);
    rig.block(BlockType::recipient, "blocked@x.example");
    PostfixConnection connection(rig);
    connection.data("1");
    int number = 0;
    for (const auto& [fate, has_queue_id] : c.recipients) {
      if (fate == limited) rig.store.refuse({Meter::messages, 60, Milliseconds(60'000)}, std::nullopt);
      const std::string local_part = fate == blocked ? "blocked" : std::to_string(++number);
      connection.rcpt(local_part + "@x.example", "2", has_queue_id ? kQueueId : "");
      rig.store.answer = {};
    }
    rig.engine.end(connection.transaction);
    CHECK(connection.invalid() == c.invalid);
  }
}

TEST_CASE("engine: a client that has been told of too many recipients does not count, with a queue id or without any") {
  for (const std::string& queue_id : {kQueueId, std::string()}) {
    CAPTURE(queue_id);
    EngineRig rig(kInvalid + "max_recipients_per_message = 3\n");
    PostfixConnection connection(rig);
    connection.data("1", queue_id);
    for (int i = 0; i < 5; ++i) connection.rcpt(std::to_string(i) + "@x.example", "2", i == 0 ? "" : queue_id);
    rig.engine.end(connection.transaction);
    CHECK(connection.invalid().empty());
  }
}

// The messages of which all that they were charged went back.
std::vector<std::string> given_back(const EngineRig& rig) {
  std::vector<std::string> all;
  for (const auto& asked : rig.store.asked) {
    if (asked.kind == Charge::Kind::give_back) all.push_back(asked.account + " " + asked.instance);
  }
  return all;
}

TEST_CASE("engine: what a message was charged that never comes to its end is given back, and leaves its sign") {
  EngineRig rig(kInvalid);
  PostfixConnection connection(rig, kSubmission);
  connection.rcpt("a@x.example", "1");
  connection.data("1");
  connection.rcpt("b@x.example", "2");
  connection.rcpt("c@x.example", "3");
  CHECK(given_back(rig) == std::vector<std::string>{"joe@example.com 2"});
  CHECK(connection.invalid() == std::vector<int64_t>{1});
  const auto back = std::find_if(rig.store.asked.begin(), rig.store.asked.end(),
                                 [](const auto& asked) { return asked.kind == Charge::Kind::give_back; });
  REQUIRE(back != rig.store.asked.end());
  CHECK(back->limits == rig.store.asked.back().limits);
  CHECK(rig.store.asked.back().recipient == "c@x.example");  // it is asked for before what comes next
  rig.engine.end(connection.transaction);
  CHECK(given_back(rig) == std::vector<std::string>{"joe@example.com 2", "joe@example.com 3"});
}

TEST_CASE("engine: nothing is given back of what may have been mailed") {
  struct Case {
    const char* label;
    Attributes ends;      // the service and login of a message that came to DATA before
    Attributes given_up;  // those of one that does not, as far as this connection tells
    bool came_to_data = false;  // on another connection
  };
  const Attributes ann{{"sasl_username", "ann@example.com"}, {"server_port", "587"}};
  const std::vector<Case> cases{
      {"another service", kSubmission, kSmtp},
      {"another account, for which Postfix may be told not to ask", ann, {{"server_port", "587"}}},
      {"DATA on another connection", kSubmission, kSubmission, true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    EngineRig rig(kInvalid);
    PostfixConnection before(rig, c.ends), connection(rig, c.given_up), of_data(rig, c.given_up);
    before.rcpt("a@x.example", "1");
    before.data("1");
    connection.rcpt("b@x.example", "2");
    if (c.came_to_data) of_data.data("2");
    rig.engine.end(connection.transaction);
    CHECK(given_back(rig).empty());
  }
}

TEST_CASE("engine: who gives up after policyd refused a recipient itself, and leaves no sign, gets nothing back") {
  EngineRig rig(kInvalid);
  rig.block(BlockType::recipient, "blocked@x.example");
  PostfixConnection connection(rig);
  connection.data("1");
  connection.rcpt("a@x.example", "2");
  connection.rcpt("blocked@x.example", "2", kQueueId);
  rig.engine.end(connection.transaction);
  CHECK(given_back(rig).empty());
}

TEST_CASE("outgoing: a message that was forgotten is not known to be under way") {
  constexpr Outgoing::Key kEnough = 64 * 1024;
  Outgoing outgoing;
  for (Outgoing::Key key = 1; key < kEnough; ++key) outgoing.settle(key);
  CHECK(outgoing.give_up(1) == std::nullopt);
}

}  // namespace
}  // namespace policyd
