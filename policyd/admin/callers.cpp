#include "policyd/admin/callers.h"

#include <algorithm>
#include <sys/socket.h>

namespace policyd {

void Callers::came(int fd, uid_t uid) {
  const std::lock_guard lock(mutex_);
  if (callers_.size() >= most_) make_room();
  callers_.push_back({fd, uid});
}

void Callers::busy(int fd) { set_busy(fd, true); }

void Callers::idle(int fd) { set_busy(fd, false); }

void Callers::left(int fd) {
  const std::lock_guard lock(mutex_);
  callers_.remove_if([fd](const Caller& caller) { return caller.fd == fd; });
}

void Callers::set_busy(int fd, bool busy) {
  const std::lock_guard lock(mutex_);
  const auto caller = std::find_if(callers_.begin(), callers_.end(), [fd](const Caller& one) { return one.fd == fd; });
  if (caller == callers_.end()) return;
  caller->busy = busy;
  callers_.splice(callers_.end(), callers_, caller);
}

size_t Callers::connections_of(uid_t uid) const {
  return static_cast<size_t>(std::count_if(callers_.begin(), callers_.end(), [uid](const Caller& one) {
    return one.uid == uid && !one.ended;
  }));
}

// Its thread sees the end of what the caller sends, and closes it.
void Callers::make_room() {
  Caller* loser = nullptr;
  for (Caller& caller : callers_) {
    if (caller.busy || caller.ended) continue;
    if (!loser || connections_of(caller.uid) > connections_of(loser->uid)) loser = &caller;
  }
  if (!loser) return;
  loser->ended = true;
  shutdown(loser->fd, SHUT_RDWR);
}

}  // namespace policyd
