// One connection of Postfix: every request is answered, and one peer's trouble stays its own.
#include "policyd/session.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/session_rig.h"

namespace policyd {
namespace {

using test::outgoing_lines;
using test::request_lines;
using test::SessionRig;

const std::string kDunno = "action=DUNNO\n\n";
const std::string kWaits = "[accounts.default]\nmessages = [\"10/1m\"]\n";  // outgoing mail passes the store's gate

std::string whole(const std::string& lines) { return lines + "\n"; }
std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST_CASE("session: requests are answered one by one, and the connection stays") {
  SessionRig rig;
  const auto peer = rig.connect();
  std::string wanted;
  for (int i = 0; i < 3; ++i) {
    peer->send(whole(request_lines()));
    wanted += kDunno;
    CHECK(rig.received(*peer, wanted) == wanted);
  }
  CHECK(rig.sessions() == 1);
  CHECK(rig.statistics.connections == 1);
  CHECK(rig.statistics.accepted == 1);
  CHECK(rig.statistics.bad_requests == 0);
}

TEST_CASE("session: a request is answered once it is whole, however it is cut") {
  SessionRig rig;
  const auto peer = rig.connect();
  const std::string request = whole(request_lines());
  for (const char octet : request.substr(0, request.size() - 1)) {
    peer->send(std::string(1, octet));
    rig.settle();
  }
  CHECK(peer->received().empty());
  peer->send("\n");
  CHECK(rig.received(*peer, kDunno) == kDunno);
}

TEST_CASE("session: pipelined requests are answered in their order") {
  SessionRig rig;
  rig.rig.block(BlockType::recipient, "no@example.com");
  const auto peer = rig.connect();
  const std::string passes = whole(request_lines()), blocked = whole(request_lines({{"recipient", "no@example.com"}}));
  peer->send(passes + blocked + passes + passes + blocked + passes.substr(0, 20));
  const std::string refused = "action=550 5.7.1 Mail refused by local policy\n\n";
  const std::string wanted = kDunno + refused + kDunno + kDunno + refused;
  CHECK(rig.received(*peer, wanted) == wanted);
  peer->send(passes.substr(20));
  CHECK(rig.received(*peer, wanted + kDunno) == wanted + kDunno);
}

TEST_CASE("session: a long pipeline is answered whole") {
  SessionRig rig;
  const auto peer = rig.connect();
  constexpr int kRequests = 3'000;  // many times what one read takes
  peer->send(repeated(whole(request_lines()), kRequests));
  const std::string wanted = repeated(kDunno, kRequests);
  CHECK((rig.received(*peer, wanted) == wanted));
  CHECK(rig.statistics.bad_requests == 0);
}

TEST_CASE("session: many peers that ask in the same turn are answered, each its own") {
  SessionRig rig;
  rig.rig.block(BlockType::recipient, "no@example.com");
  std::vector<std::unique_ptr<test::Peer>> peers;
  while (peers.size() < 150) peers.push_back(rig.connect());
  for (size_t i = 0; i < peers.size(); ++i) {
    peers[i]->send(whole(request_lines({{"recipient", i % 3 == 0 ? "no@example.com" : "bob@example.com"}})));
    if (i % 5 == 0) peers[i]->end_of_sending();
  }
  for (size_t i = 0; i < peers.size(); ++i) {
    CAPTURE(i);
    const std::string wanted = i % 3 == 0 ? "action=550 5.7.1 Mail refused by local policy\n\n" : kDunno;
    CHECK(rig.received(*peers[i], wanted) == wanted);
  }
  rig.turn_until([&] { return rig.sessions() <= 120; });
  for (size_t i = 0; i < peers.size(); ++i) CHECK(peers[i]->ended() == (i % 5 == 0));
}

TEST_CASE("session: what comes while a request is being decided waits, and is bounded") {
  SessionRig rig(kWaits);
  const auto peer = rig.connect();
  rig.rig.store.gate.close();
  constexpr int kRequests = 5'000;
  const std::string rest = repeated(whole(request_lines()), kRequests);
  peer->send(whole(outgoing_lines()));
  rig.turn_until([&] { return rig.rig.store.gate.waiting() == 1; });
  peer->send(rest);
  for (int turn = 0; turn < 100; ++turn) {
    peer->flush();
    rig.settle();
  }
  CHECK_FALSE(peer->flush());  // it is not read without end
  CHECK(peer->received().empty());
  rig.rig.store.gate.open();
  const std::string wanted = repeated(kDunno, 1 + kRequests);
  CHECK((rig.received(*peer, wanted) == wanted));
}

TEST_CASE("session: bad input closes only that connection, with one line") {
  struct Case {
    std::string octets, reason;
  };
  const std::vector<Case> cases{
      {"nonsense\n\n", "a line without '=': \"nonsense\""},
      {"GET / HTTP/1.1\r\n\r\n", "lines end in CRLF; the policy protocol wants LF alone"},
      {"\n", "a request without attributes"},
      {"request=other\n\n", "request=\"other\" is not smtpd_access_policy"},
      {std::string(70'000, 'x'), "the request is larger than 64 KiB"},
      {"a=b\nrequest=smtpd_access_policy", "ended within a request, after 31 octets of it"},
  };
  SessionRig rig;
  const auto other = rig.connect();
  uint64_t bad = 0;
  std::vector<std::string> lines;
  for (const Case& c : cases) {
    CAPTURE(c.reason);
    const auto peer = rig.connect();
    peer->send(c.octets);
    rig.turn_until([&] { return peer->flush(); });
    peer->end_of_sending();
    rig.turn_until([&] { return peer->ended(); });
    CHECK(peer->received().empty());
    CHECK(rig.statistics.bad_requests == ++bad);
    lines.push_back("warning: unix:test: connection from a unix socket closed: " + c.reason);
    CHECK(rig.log.warnings() == lines);
    CHECK(rig.sessions() == 1);
  }
  other->send(whole(request_lines()));
  CHECK(rig.received(*other, kDunno) == kDunno);
}

TEST_CASE("session: what came before bad input is answered") {
  SessionRig rig;
  const auto peer = rig.connect();
  peer->send(whole(request_lines()) + "nonsense\n\n");
  rig.turn_until([&] { return peer->ended(); });
  CHECK(peer->received() == kDunno);
}

TEST_CASE("session: a peer that leaves between two requests is no trouble") {
  SessionRig rig;
  const auto peer = rig.connect();
  peer->send(whole(request_lines()));
  CHECK(rig.received(*peer, kDunno) == kDunno);
  peer->close();
  rig.turn_until([&] { return rig.sessions() == 0; });
  CHECK(rig.statistics.connections == 0);
  CHECK(rig.statistics.accepted == 1);
  CHECK(rig.log.warnings().empty());
}

TEST_CASE("session: a peer that leaves while its request is decided costs nobody anything") {
  SessionRig rig(kWaits);
  const auto peer = rig.connect();
  const auto other = rig.connect();
  rig.rig.store.gate.close();
  peer->send(whole(outgoing_lines()));
  other->send(whole(outgoing_lines()));
  rig.turn_until([&] { return rig.rig.store.gate.waiting() == 2; });
  peer->close();
  rig.settle();
  rig.rig.store.gate.open();
  CHECK(rig.received(*other, kDunno) == kDunno);
  rig.turn_until([&] { return rig.sessions() == 1; });
  CHECK(rig.log.warnings().empty());
}

TEST_CASE("session: a peer that does not read its replies is closed, with one line") {
  SessionRig rig;
  const auto peer = rig.connect();
  const std::string requests = repeated(whole(request_lines()), 1'000);
  rig.turn_until([&] {
    if (peer->flush() && rig.sessions() == 1) peer->send(requests);
    return rig.sessions() == 0;
  });
  CHECK(rig.statistics.bad_requests == 1);
  REQUIRE(rig.log.warnings().size() == 1);
  CHECK(rig.log.warnings().front() ==
        "warning: unix:test: connection from a unix socket closed: sends requests but does not read the replies");
}

TEST_CASE("session: half a request is given up after a minute, with one line") {
  SessionRig rig;
  const auto half = rig.connect();
  const auto idle = rig.connect();
  const auto late = rig.connect();
  const auto await_half_of = [&rig](test::Peer& peer, std::string_view octets) {
    peer.send(octets);
    rig.settle();
  };
  await_half_of(*half, "request=smtpd_access_policy\n");
  rig.rig.clock.advance(Milliseconds(1));
  await_half_of(*half, "a=b\n");  // more of it gives no more time
  await_half_of(*late, "request=smtpd_access_policy\n");

  rig.rig.clock.advance(Session::kHalfRequestTimeout - Milliseconds(2));
  rig.give_up_half_requests();
  CHECK(rig.sessions() == 3);
  rig.rig.clock.advance(Milliseconds(1));
  rig.give_up_half_requests();
  rig.turn_until([&] { return rig.sessions() == 2; });
  CHECK(half->ended());
  CHECK(half->received().empty());
  REQUIRE(rig.log.warnings().size() == 1);
  CHECK(rig.log.warnings().front() ==
        "warning: unix:test: connection from a unix socket closed: half a request for a minute, 32 octets of it");
  for (auto* peer : {idle.get(), late.get()}) {
    peer->send(peer == late.get() ? "protocol_state=RCPT\n\n" : whole(request_lines()));
    CHECK(rig.received(*peer, kDunno) == kDunno);
  }
}

TEST_CASE("session: the minute of half a request begins anew with each request") {
  SessionRig rig;
  const auto peer = rig.connect();
  const std::string request = whole(request_lines());
  std::string wanted;
  peer->send(request.substr(0, 20));
  for (int i = 0; i < 3; ++i) {
    rig.settle();
    rig.rig.clock.advance(Session::kHalfRequestTimeout - Milliseconds(1));
    rig.give_up_half_requests();
    peer->send(request.substr(20) + request.substr(0, 20));
    wanted += kDunno;
    CHECK(rig.received(*peer, wanted) == wanted);
  }
  CHECK(rig.sessions() == 1);
}

TEST_CASE("session: an idle connection is kept for ever, also after a request in two halves") {
  SessionRig rig;
  const auto peer = rig.connect();
  peer->send("request=smtpd_access_policy\n");
  rig.settle();
  peer->send("\n");
  CHECK(rig.received(*peer, kDunno) == kDunno);
  rig.rig.clock.advance(Milliseconds(365LL * 24 * 3'600'000));
  rig.give_up_half_requests();
  peer->send(whole(request_lines()));
  CHECK(rig.received(*peer, kDunno + kDunno) == kDunno + kDunno);
}

TEST_CASE("session: a request that takes its time to be decided is not half a request") {
  SessionRig rig(kWaits);
  const auto peer = rig.connect();
  rig.rig.store.gate.close();
  peer->send(whole(outgoing_lines()) + "request=");
  rig.turn_until([&] { return rig.rig.store.gate.waiting() == 1; });
  rig.rig.clock.advance(2 * Session::kHalfRequestTimeout);
  rig.give_up_half_requests();
  rig.rig.store.gate.open();
  CHECK(rig.received(*peer, kDunno) == kDunno);
  CHECK(rig.sessions() == 1);
}

TEST_CASE("session: drain closes idle connections at once and answers what is being decided") {
  SessionRig rig(kWaits);
  const auto idle = rig.connect();
  const auto half = rig.connect();
  const auto deciding = rig.connect();
  rig.rig.store.gate.close();
  half->send("request=");
  deciding->send(whole(outgoing_lines()));
  rig.turn_until([&] { return rig.rig.store.gate.waiting() == 1; });
  rig.drain();
  rig.turn_until([&] { return idle->ended() && half->ended(); });
  CHECK(rig.sessions() == 1);
  CHECK_FALSE(deciding->ended());
  rig.rig.store.gate.open();
  rig.turn_until([&] { return deciding->ended(); });
  CHECK(deciding->received() == kDunno);
  CHECK(rig.sessions() == 0);
  CHECK(rig.log.warnings().empty());
}

TEST_CASE("session: drain answers all requests that have come") {
  SessionRig rig(kWaits);
  const auto peer = rig.connect();
  rig.rig.store.gate.close();
  peer->send(whole(outgoing_lines()) + whole(request_lines()));
  rig.turn_until([&] { return rig.rig.store.gate.waiting() == 1; });
  rig.drain();
  rig.rig.store.gate.open();
  rig.turn_until([&] { return peer->ended(); });
  CHECK(peer->received() == kDunno + kDunno);
}

// A message that has not come to DATA when its connection ends.
std::vector<int64_t> invalid_after(const std::function<void(SessionRig&, std::unique_ptr<test::Peer>&)>& end) {
  SessionRig rig("[accounts.default]\ninvalid_recipients = [\"50/1d\"]\n");
  auto peer = rig.connect();
  peer->send(whole(outgoing_lines({{"protocol_state", "DATA"}, {"instance", "1"}, {"queue_id", "4C796A86003"}})));
  peer->send(whole(outgoing_lines({{"instance", "2"}})));
  const std::string wanted = kDunno + kDunno;
  CHECK(rig.received(*peer, wanted) == wanted);
  end(rig, peer);
  rig.turn_until([&rig] { return rig.sessions() == 0; });
  std::vector<int64_t> invalid;
  for (const auto& asked : rig.rig.store.asked) {
    if (asked.kind == Charge::Kind::sign) invalid.push_back(asked.amount);
  }
  return invalid;
}

TEST_CASE("session: a message counts as abandoned where Postfix ends the connection, and only there") {
  CHECK(invalid_after([](SessionRig&, auto& peer) { peer.reset(); }) == std::vector<int64_t>{1});
  CHECK(invalid_after([](SessionRig& rig, auto&) { rig.drain(); }).empty());
  CHECK(invalid_after([](SessionRig&, auto& peer) { peer->send("no request\n\n"); }).empty());
}

TEST_CASE("session: which verdicts get a line is configured") {
  struct Case {
    std::string verdicts;
    size_t lines;
  };
  for (const Case& c : {Case{"all", 2}, Case{"refused", 1}, Case{"none", 0}}) {
    CAPTURE(c.verdicts);
    SessionRig rig("[log]\nverdicts = \"" + c.verdicts + "\"\n");
    rig.rig.block(BlockType::recipient, "no@example.com");
    const auto peer = rig.connect();
    peer->send(whole(request_lines()) + whole(request_lines({{"recipient", "no@example.com"}})));
    const std::string wanted = kDunno + "action=550 5.7.1 Mail refused by local policy\n\n";
    CHECK(rig.received(*peer, wanted) == wanted);
    REQUIRE(rig.log.lines().size() == c.lines);
    if (c.lines > 0) CHECK(rig.log.lines().back().starts_with("info: verdict=REJECT cause=block incoming "));
  }
}

TEST_CASE("session: drain answers a request that has been sent and is not read yet") {
  test::SessionRig rig;
  const auto peer = rig.connect();
  peer->send(test::request_lines() + "\n");
  rig.drain();  // in the same turn in which the request would have been read
  rig.turn_until([&] { return peer->ended(); });
  CHECK(peer->received() == "action=DUNNO\n\n");
}

}  // namespace
}  // namespace policyd
