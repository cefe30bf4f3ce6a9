// One connection of Postfix: reads, decides and writes in one loop until the peer leaves.
//
// A request that cannot be read costs this connection and one log line, nothing else. A connection that is idle is kept
// for ever; one that has sent half a request is given up after a minute.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policyd/async/stream.h"
#include "policyd/async/task.h"
#include "policyd/engine.h"
#include "shared/clock.h"
#include "shared/protocol.h"

namespace policyd {

// Counted over all sessions.
struct SessionStatistics {
  uint64_t connections = 0;   // open now
  uint64_t accepted = 0;      // since start
  uint64_t bad_requests = 0;  // connections ended for what they sent
};

class Session;

// What a session needs of those around it; all of it outlives the session.
struct SessionContext {
  uv_loop_t* loop;
  Engine& engine;
  const Clock& clock;
  Streams& streams;
  SessionStatistics& statistics;
  std::function<void(Session&)> ended;  // frees the session
  std::string line{};                   // scratch for log lines
  std::vector<std::unique_ptr<Request>> spare{};  // requests that sessions take in turn
};

class Session final : private StreamSink {
 public:
  static constexpr Milliseconds kHalfRequestTimeout{60'000};

  Session(SessionContext& context, const std::string& listener);
  ~Session() override;

  Result<void> accept(uv_stream_t* server) { return stream_.accept(server); }
  // Runs until the peer leaves; then SessionContext::ended is called, from within.
  void start();
  // Answers what is being decided, then ends.
  void drain();
  // Gives up a request that began too long ago.
  void give_up_half_request(SteadyTime now);

 private:
  Task<void> run();
  bool answer(const Verdict& verdict);
  void prepare_to_wait();
  void end_of_stream();
  void release_request();
  void received(std::string_view octets) override;
  void bad_input(const std::string& reason);

  SessionContext& context_;
  const std::string& listener_;  // where it came in, for the log
  RequestReader reader_;
  std::unique_ptr<Request> request_;  // none while nothing has come that is not answered
  Stream stream_;
  OpenTransaction transaction_;
  std::optional<SteadyTime> half_since_;
  bool deciding_ = false;
  bool paused_ = false;
  bool draining_ = false;
};

}  // namespace policyd
