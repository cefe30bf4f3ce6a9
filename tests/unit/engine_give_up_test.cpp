// The engine and messages that never come to their end: what is counted of them.
#include <doctest/doctest.h>

#include <string>
#include <vector>

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

}  // namespace
}  // namespace policyd
