// Sessions on an engine with a fake store, and peers of them.
//
// Whatever a Session needs around it, tests see it in here only.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "policyd/session.h"
#include "tests/support/captured_log.h"
#include "tests/support/engine_rig.h"
#include "tests/support/unix_peers.h"

namespace policyd::test {

class SessionRig {
 public:
  explicit SessionRig(std::string_view toml = "") : rig(toml) {}
  // Sessions end by themselves only.
  ~SessionRig() {
    rig.store.gate.open();
    drain();
    turn_until([this] { return sessions_.empty(); });
  }

  template <class Condition>
  void turn_until(Condition holds) {
    test::turn_until(rig.loop, std::move(holds));
  }
  void settle() { test::settle(rig.loop); }
  // A peer whose session has begun.
  std::unique_ptr<Peer> connect() {
    const uint64_t before = statistics.accepted;
    auto peer = std::make_unique<Peer>(server_.path());
    turn_until([&] { return statistics.accepted > before; });
    return peer;
  }
  // As SIGTERM has it.
  void drain() {
    for (Session* session : all()) session->drain();
  }
  // As the listener does every now and then.
  void give_up_half_requests() {
    for (Session* session : all()) session->give_up_half_request(rig.clock.steady());
  }
  [[nodiscard]] size_t sessions() const { return sessions_.size(); }
  // Everything that `peer` has received once it is `wanted`, or the session has ended.
  std::string received(Peer& peer, std::string_view wanted) {
    turn_until([&] {
      peer.flush();
      return peer.received().size() >= wanted.size() || peer.ended();
    });
    return peer.received();
  }

  EngineRig rig;
  CapturedLog log;
  SessionStatistics statistics;

 private:
  void accept(uv_stream_t* server) {
    auto session = std::make_unique<Session>(context_, name_);
    Session& reference = *session;
    REQUIRE(reference.accept(server).ok());
    sessions_.emplace(&reference, std::move(session));
    reference.start();
  }
  std::vector<Session*> all() const {
    std::vector<Session*> found;
    for (const auto& [session, owner] : sessions_) found.push_back(session);
    return found;
  }

  const std::string name_ = "unix:test";
  Streams streams_{rig.loop};
  SessionContext context_{rig.loop, rig.engine, rig.clock, streams_, statistics,
                          [this](Session& session) { sessions_.erase(&session); }, {}};
  std::unordered_map<Session*, std::unique_ptr<Session>> sessions_;
  UnixServer server_{rig.loop, [this](uv_stream_t* server) { accept(server); }};
};

}  // namespace policyd::test
