#include "tests/support/session_rig.h"

#include <utility>

namespace policyd::test {

SessionRig::SessionRig(std::string_view toml) : rig(toml) {}

SessionRig::~SessionRig() {
  rig.store.gate.open();
  drain();
  turn_until([this] { return sessions_.empty(); });
}

void SessionRig::turn_until(const std::function<bool()>& holds) {
  test::turn_until(rig.loop, holds);
}

void SessionRig::settle() {
  test::settle(rig.loop);
}

std::unique_ptr<Peer> SessionRig::connect() {
  const uint64_t before = statistics.accepted;
  auto peer = std::make_unique<Peer>(server_.path());
  turn_until([&] { return statistics.accepted > before; });
  return peer;
}

void SessionRig::drain() {
  for (Session* session : all()) session->drain();
}

void SessionRig::give_up_half_requests() {
  for (Session* session : all()) session->give_up_half_request(rig.clock.steady());
}

std::string SessionRig::received(Peer& peer, std::string_view wanted) {
  turn_until([&] {
    peer.flush();
    return peer.received().size() >= wanted.size() || peer.ended();
  });
  return peer.received();
}

void SessionRig::accept(uv_stream_t* server) {
  auto session = std::make_unique<Session>(context_, name_);
  Session& reference = *session;
  REQUIRE(reference.accept(server).ok());
  sessions_.emplace(&reference, std::move(session));
  reference.start();
}

std::vector<Session*> SessionRig::all() const {
  std::vector<Session*> found;
  for (const auto& [session, owner] : sessions_) found.push_back(session);
  return found;
}

}  // namespace policyd::test
