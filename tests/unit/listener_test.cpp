// The listener where there are no file descriptors left: it turns away who connects, serves on, says so once, and comes
// back.
#include "policyd/listener.h"

#include <doctest/doctest.h>

#include "tests/support/captured_log.h"
#include "tests/support/engine_rig.h"
#include "tests/support/few_descriptors.h"
#include "tests/support/unix_peers.h"

namespace policyd {
namespace {

using test::FewDescriptors;
using test::Peer;

constexpr std::string_view kRequest = "request=smtpd_access_policy\nprotocol_state=VRFY\n\n";
constexpr std::string_view kReply = "action=DUNNO\n\n";

struct Rig {
  Rig() {
    Endpoint endpoint;
    endpoint.kind = Endpoint::Kind::unix_socket;
    endpoint.path = directory.file("socket");
    auto opened = Listener::open({rig.loop, rig.engine, rig.clock, streams, statistics, descriptors}, endpoint, 0600);
    REQUIRE(opened.ok());
    listener = std::move(opened->front());
  }
  ~Rig() {
    listener->drain();
    test::turn_until(rig.loop, [this] { return listener->sessions() == 0; });
  }
  std::unique_ptr<Peer> connect() { return std::make_unique<Peer>(directory.file("socket")); }
  bool answers(Peer& peer) {
    peer.send(kRequest);
    const size_t wanted = peer.received().size() + kReply.size();
    test::turn_until(rig.loop, [&] { return peer.received().size() >= wanted || peer.ended(); });
    return peer.received().ends_with(kReply) && !peer.ended();
  }
  // Of the listener and of descriptors; not those of verdicts.
  std::vector<std::string> told() const {
    std::vector<std::string> lines;
    for (const std::string& line : log.lines()) {
      if (line.find("descriptors") != std::string::npos || line.find("connection") != std::string::npos) {
        lines.push_back(line);
      }
    }
    return lines;
  }

  test::CapturedLog log;
  test::TemporaryDirectory directory;
  test::EngineRig rig;
  Streams streams{rig.loop};
  SessionStatistics statistics;
  Descriptors descriptors{rig.loop};
  std::unique_ptr<Listener> listener;
};

void check_told(const Rig& rig, bool back) {
  const auto told = rig.told();
  REQUIRE(told.size() == (back ? 2 : 1));
  CHECK(told[0].starts_with("error: no file descriptors are left (the limit is "));
  CHECK(told[0].ends_with("): whoever connects is turned away until there are; raise LimitNOFILE= of policyd.service, "
                          "or ulimit -n"));
  if (back) CHECK(told[1] == "info: there are file descriptors left again");
}

TEST_CASE("listener: without descriptors who is connected is served, who connects is turned away, and it comes back") {
  for (const bool libuv_has_one : {true, false}) {
    CAPTURE(libuv_has_one);
    Rig rig;
    const auto served = rig.connect();
    CHECK(rig.answers(*served));
    const auto first = rig.connect(), second = rig.connect();
    if (!libuv_has_one) close(std::exchange(static_cast<uv_loop_t*>(rig.rig.loop)->emfile_fd, -1));
    {
      const FewDescriptors few;  // nothing is asserted meanwhile: UndefinedBehaviorSanitizer needs descriptors for it
      test::settle(rig.rig.loop);
      rig.descriptors.look();
      rig.descriptors.look();
      served->send(kRequest);
      test::settle(rig.rig.loop);
    }
    for (Peer* peer : {first.get(), second.get()}) {
      CHECK(peer->ended());
      CHECK(peer->received().empty());
    }
    CHECK(served->received() == std::string(kReply) + std::string(kReply));
    CHECK_FALSE(served->ended());
    check_told(rig, false);
    const auto third = rig.connect();
    CHECK(rig.answers(*third));
    for (int look = 0; look < 4; ++look) rig.descriptors.look();
    check_told(rig, false);  // not before it has lasted
    rig.descriptors.look();
    check_told(rig, true);
    for (int look = 0; look < 9; ++look) rig.descriptors.look();
    check_told(rig, true);
  }
}

}  // namespace
}  // namespace policyd
