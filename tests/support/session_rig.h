// Sessions on an engine with a fake store, and peers of them.
//
// Whatever a Session needs around it, tests see it in here only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policyd/session.h"
#include "tests/support/captured_log.h"
#include "tests/support/engine_rig.h"
#include "tests/support/unix_peers.h"

namespace policyd::test {

class SessionRig {
 public:
  explicit SessionRig(std::string_view toml = "");
  // Sessions end by themselves only.
  ~SessionRig();
  SessionRig(const SessionRig&) = delete;
  SessionRig& operator=(const SessionRig&) = delete;

  void turn_until(const std::function<bool()>& holds);
  void settle();
  // A peer whose session has begun.
  std::unique_ptr<Peer> connect();
  // As SIGTERM has it.
  void drain();
  // As the listener does every now and then.
  void give_up_half_requests();
  [[nodiscard]] size_t sessions() const { return sessions_.size(); }
  // Everything that `peer` has received once it is `wanted`, or the session has ended.
  std::string received(Peer& peer, std::string_view wanted);

  EngineRig rig;
  CapturedLog log;
  SessionStatistics statistics;

 private:
  void accept(uv_stream_t* server);
  [[nodiscard]] std::vector<Session*> all() const;

  const std::string name_ = "unix:test";
  Streams streams_{rig.loop};
  SessionContext context_{rig.loop, rig.engine, rig.clock, streams_, statistics,
                          [this](Session& session) { sessions_.erase(&session); }, {}};
  std::unordered_map<Session*, std::unique_ptr<Session>> sessions_;
  UnixServer server_{rig.loop, [this](uv_stream_t* server) { accept(server); }};
};

}  // namespace policyd::test
