// Connections to the admin socket that wait for nothing: whoever has the most makes room.
#include "policyd/admin/callers.h"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <unistd.h>

using namespace policyd;

namespace {

// A connection; the other end sees whether it was shut down.
class Connection {
 public:
  Connection() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_) == 0); }
  ~Connection() {
    for (const int end : ends_) close(end);
  }
  Connection(const Connection&) = delete;

  [[nodiscard]] int fd() const { return ends_[0]; }
  [[nodiscard]] bool ended() const {
    char octet = 0;
    return recv(ends_[1], &octet, 1, MSG_DONTWAIT) == 0;
  }

 private:
  int ends_[2] = {};
};

constexpr uid_t kAnn = 1000, kBob = 1001;

}  // namespace

TEST_CASE("callers: who has the most connections loses the one that has waited longest") {
  Callers callers(3);
  Connection ann, bob[3];
  callers.came(ann.fd(), kAnn);
  callers.came(bob[0].fd(), kBob);
  callers.came(bob[1].fd(), kBob);
  CHECK_FALSE(bob[0].ended());
  callers.came(bob[2].fd(), kBob);
  CHECK(bob[0].ended());
  CHECK_FALSE(ann.ended());
  CHECK_FALSE(bob[1].ended());
  callers.left(bob[0].fd());
  Connection late;
  callers.came(late.fd(), kAnn);
  CHECK(bob[1].ended());
  CHECK_FALSE(ann.ended());
  CHECK_FALSE(bob[2].ended());
}

TEST_CASE("callers: a request under way is not ended, and who was answered waits anew") {
  Callers callers(2);
  Connection one, two, three, four;
  callers.came(one.fd(), kAnn);
  callers.came(two.fd(), kAnn);
  callers.busy(one.fd());
  callers.busy(two.fd());
  callers.came(three.fd(), kAnn);
  CHECK_FALSE(one.ended());
  CHECK_FALSE(two.ended());
  callers.idle(two.fd());
  callers.idle(one.fd());
  callers.came(four.fd(), kAnn);
  CHECK(three.ended());
  Connection five;
  callers.came(five.fd(), kAnn);
  CHECK(two.ended());
  CHECK_FALSE(one.ended());
}
