// The policy protocol: framing in any fragmentation, bad input, replies that cannot hurt.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "shared/protocol.h"

using namespace policyd;

namespace {

const std::string kRcpt =
    "request=smtpd_access_policy\nprotocol_state=RCPT\nsender=SRS0=ab=cd=example.org=joe@example.com\n"
    "recipient=bob@example.net\nsize=1234\ninstance=1.2.3\nunheard_of=x\nhelo_name=\n\n";

RequestReader::Step must(RequestReader& reader, Request& request) {
  auto step = reader.next(request);
  REQUIRE_MESSAGE(step.ok(), step.error().message);
  return *step;
}

std::string error_of(std::string_view octets) {
  RequestReader reader;
  reader.feed(octets);
  Request request;
  auto step = reader.next(request);
  return step ? "" : step.error().message;
}

}  // namespace

TEST_CASE("protocol: a request is split at the first '=', unknown attributes are ignored") {
  RequestReader reader;
  Request request;
  reader.feed(kRcpt);
  REQUIRE(must(reader, request) == RequestReader::Step::complete);
  CHECK(request.state() == ProtocolState::rcpt);
  CHECK(request.sender() == "SRS0=ab=cd=example.org=joe@example.com");
  CHECK(request.recipient() == "bob@example.net");
  CHECK(request.size() == 1234);
  CHECK(request.helo_name().empty());
  CHECK(request.sasl_username().empty());
  CHECK(must(reader, request) == RequestReader::Step::incomplete);
  CHECK(reader.pending() == 0);
}

TEST_CASE("protocol: every fragmentation of two requests yields the same two requests") {
  const std::string octets = kRcpt + "sender=second@example.com\nprotocol_state=MAIL\n\n";
  for (size_t cut = 0; cut <= octets.size(); ++cut) {
    RequestReader reader;
    Request request;
    std::vector<std::string> senders;
    for (const auto& part : {octets.substr(0, cut), octets.substr(cut)}) {
      reader.feed(part);
      while (must(reader, request) == RequestReader::Step::complete) {
        senders.emplace_back(request.sender());
      }
    }
    REQUIRE(senders == std::vector<std::string>{"SRS0=ab=cd=example.org=joe@example.com", "second@example.com"});
    REQUIRE(reader.pending() == 0);
  }
}

TEST_CASE("protocol: octet by octet") {
  RequestReader reader;
  Request request;
  int complete = 0;
  for (int round = 0; round < 3; ++round) {
    for (const char octet : kRcpt) {
      reader.feed({&octet, 1});
      if (must(reader, request) == RequestReader::Step::complete) ++complete;
    }
  }
  CHECK(complete == 3);
}

TEST_CASE("protocol: the first of a repeated attribute counts, in any order") {
  RequestReader reader;
  Request request;
  reader.feed("recipient=a@x\nsender=first\nsender=second\nprotocol_state=RCPT\nsender=\n\n");
  REQUIRE(must(reader, request) == RequestReader::Step::complete);
  CHECK(request.sender() == "first");
  CHECK(request.recipient() == "a@x");
}

TEST_CASE("protocol: nothing of an earlier request shows in the next") {
  RequestReader reader;
  Request request;
  reader.feed(kRcpt);
  REQUIRE(must(reader, request) == RequestReader::Step::complete);
  reader.feed("protocol_state=EHLO\n\n");
  REQUIRE(must(reader, request) == RequestReader::Step::complete);
  CHECK(request.sender().empty());
  CHECK(request.size() == 0);
  CHECK(request.state() == ProtocolState::ehlo);
}

TEST_CASE("protocol: bad input is told apart") {
  CHECK(error_of("garbage\n\n") == "a line without '=': \"garbage\"");
  CHECK(error_of("=value\n\n") == "an attribute without a name: \"=value\"");
  CHECK(error_of("\n\n") == "a request without attributes");
  CHECK(error_of("\n") == "a request without attributes");
  CHECK(error_of("request=smtpd_access_policy\r\n\r\n") ==
        "lines end in CRLF; the policy protocol wants LF alone");
  CHECK(error_of("request=junk\n\n") == "request=\"junk\" is not smtpd_access_policy");
  CHECK(error_of(std::string("sender=a\0b\n\n", 12)) == "a NUL in the request");
  CHECK(error_of("a=" + std::string(kMaximumRequest, 'x')) == "the request is larger than 64 KiB");
  CHECK(error_of("a=" + std::string(kMaximumRequest, 'x') + "\n\n") == "the request is larger than 64 KiB");
  CHECK(error_of("a=" + std::string(kMaximumRequest - 10, 'x') + "\n\n").empty());
}

TEST_CASE("protocol: numbers that are none are 0") {
  for (const char* size : {"", "-1", "12x", "9007199254740992", "99999999999999999999", " 1"}) {
    RequestReader reader;
    Request request;
    reader.feed(std::string("protocol_state=RCPT\nsize=") + size + "\n\n");
    REQUIRE(must(reader, request) == RequestReader::Step::complete);
    CHECK(request.size() == 0);
  }
}

TEST_CASE("protocol: a reply is one line, printable, and never over 510 octets") {
  CHECK(format_reply("DUNNO") == "action=DUNNO\n\n");
  CHECK(format_reply("550 5.7.1 a\nb\xc3\xa9\x01") == "action=550 5.7.1 a?b???\n\n");
  const std::string longest = format_reply("REJECT " + std::string(2000, 'x'));
  CHECK(longest.size() == 510);
  CHECK(longest.ends_with("x\n\n"));
}
