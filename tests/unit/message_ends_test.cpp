// What is known of the services of Postfix, and what tells them apart.
#include "policyd/message_ends.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/make_request.h"
#include "tests/support/request_lines.h"

namespace policyd {
namespace {

using test::Attributes;
using test::outgoing_lines;

const Attributes kSubmission{{"server_address", "192.0.2.25"}, {"server_port", "587"}, {"queue_id", "4C796A86003"}};

Attributes submission_but(const Attributes& changes) {
  Attributes all = kSubmission;
  for (const auto& [name, value] : changes) all[name] = value;
  return all;
}

TEST_CASE("message ends: services are told apart by where the client has connected to, and by its login") {
  struct Case {
    const char* label;
    Attributes changes;
    bool same;
  };
  const std::vector<Case> cases{
      {"the same", {}, true},
      {"another port", {{"server_port", "25"}}, false},
      {"another address", {{"server_address", "2001:db8::25"}}, false},
      {"an address that ends where the port begins", {{"server_address", "192.0.2.2"}, {"server_port", "5587"}}, false},
      {"not told", {{"server_address", ""}, {"server_port", ""}}, false},
      {"no login", {{"sasl_username", ""}}, false},
      {"another login", {{"sasl_username", "ann@example.com"}}, true},
      {"another context", {{"policy_context", "outgoing"}}, true},
      {"another message of another client", {{"instance", "9"}, {"client_address", "192.0.2.9"}}, true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    MessageEnds ends;
    const auto ended = make_request(outgoing_lines(kSubmission));
    const auto other = make_request(outgoing_lines(submission_but(c.changes)));
    CHECK(ends.of(ends.service_of(*other)) == nullptr);
    ends.learn(*ended, "joe@example.com");
    CHECK((ends.of(ends.service_of(*other)) != nullptr) == c.same);
  }
}

TEST_CASE("message ends: queue ids tell where every message of the service has had one") {
  MessageEnds ends;
  const auto with = make_request(outgoing_lines(kSubmission));
  const auto without = make_request(outgoing_lines(submission_but({{"queue_id", ""}})));
  const auto elsewhere = make_request(outgoing_lines(submission_but({{"server_port", "25"}})));
  const auto tell = [&ends](const Request& request) { return ends.of(ends.service_of(request))->queue_ids; };
  for (const Request* request : {with.get(), elsewhere.get()}) ends.learn(*request, "joe@example.com");
  CHECK(tell(*with));
  ends.learn(*without, "joe@example.com");
  CHECK_FALSE(tell(*with));
  ends.learn(*with, "joe@example.com");
  CHECK_FALSE(tell(*with));
  CHECK(tell(*elsewhere));
}

TEST_CASE("message ends: for which accounts a service has asked is known of each service") {
  MessageEnds ends;
  const auto submission = make_request(outgoing_lines(kSubmission));
  const auto smtp = make_request(outgoing_lines(submission_but({{"server_port", "25"}})));
  ends.learn(*submission, "joe@example.com");
  ends.learn(*smtp, "ann@example.com");
  CHECK(ends.seen(ends.service_of(*submission), "joe@example.com"));
  CHECK_FALSE(ends.seen(ends.service_of(*submission), "ann@example.com"));
  CHECK_FALSE(ends.seen(ends.service_of(*smtp), "joe@example.com"));
}

}  // namespace
}  // namespace policyd
