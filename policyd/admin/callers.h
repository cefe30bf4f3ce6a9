// Who is connected to the admin socket, so that nobody keeps others out by connections that ask nothing.
//
// Where there are almost too many, room is made: whoever has the most of them loses the one that has waited longest
// for a request. Called from several threads.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <sys/types.h>

namespace policyd {

class Callers {
 public:
  // From so many connections on.
  explicit Callers(size_t most) : most_(most) {}

  // A connection begins; `fd` is open until left(). Where there is no room, and nobody who waits, it ends by itself as
  // soon as the others let it.
  void came(int fd, uid_t uid);
  // A request of it has begun; it has been answered.
  void busy(int fd);
  void idle(int fd);
  // It is about to be closed.
  void left(int fd);

 private:
  struct Caller {
    int fd;
    uid_t uid;
    bool busy = false;
    bool ended = false;  // shut down, not closed yet
  };
  void make_room();
  void set_busy(int fd, bool busy);
  [[nodiscard]] size_t connections_of(uid_t uid) const;

  const size_t most_;
  std::mutex mutex_;
  std::list<Caller> callers_;  // in the order in which they began to wait
};

}  // namespace policyd
