// A listening socket: unix, inet or handed over by systemd; and the sessions that came in through it.
//
// open() fails with the endpoint, the reason and what to do. A unix socket that a dead policyd left behind is replaced;
// one that somebody listens on is not.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "policyd/async/timer.h"
#include "policyd/descriptors.h"
#include "policyd/session.h"
#include "shared/config.h"
#include "shared/result.h"

namespace policyd {

class Listener {
 public:
  // What all listeners of one loop share; outlives them.
  struct Shared {
    uv_loop_t* loop;
    Engine& engine;
    const Clock& clock;
    Streams& streams;
    SessionStatistics& statistics;
    Descriptors& descriptors;
  };

  // One listener per endpoint; `systemd:` yields one for each socket that systemd handed over.
  static Result<std::vector<std::unique_ptr<Listener>>> open(const Shared& shared, const Endpoint& endpoint,
                                                             int socket_mode);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Where it listens, with the port that the kernel chose for port 0: "inet:127.0.0.1:40001".
  [[nodiscard]] const std::string& name() const { return name_; }

  // Takes no more connections, and ends each session once what it is deciding has been answered.
  void drain();
  [[nodiscard]] size_t sessions() const { return sessions_.size(); }

 private:
  Listener(const Shared& shared, std::string name);
  Result<void> bind(const Endpoint& endpoint, int socket_mode);
  Result<void> adopt(int fd);
  Result<void> listen();
  void on_connection();
  void cannot_take(int failure);
  void close_handle();

  std::string name_;
  SessionContext context_;
  Descriptors& descriptors_;
  uv_any_handle* handle_ = nullptr;  // owned by libuv until its close callback
  std::unordered_map<Session*, std::unique_ptr<Session>> sessions_;
  Timer half_requests_;
};

}  // namespace policyd
