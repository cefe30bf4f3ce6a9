// Whether this process has file descriptors left for connections.
//
// Where there are none libuv takes what connects and closes it at once, with a descriptor that it keeps for that, and
// says nothing. So it is looked every second, and told when they have run out and when they are back: one line each.
// Where libuv has lost its own to another thread it would try for ever; then the listener uses the one that is kept
// here.
#pragma once

#include "policyd/async/timer.h"

namespace policyd {

class Descriptors {
 public:
  explicit Descriptors(uv_loop_t* loop);
  ~Descriptors();
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  // What is done every second.
  void look();

  // Frees a descriptor for the connection that could not be taken, so that it can be closed.
  void give_way();
  // After a connection was taken. True: by the descriptor that was given, there is no other, and it is to be closed.
  bool want_it_back();

 private:
  void note(bool left);

  int reserve_;  // -1: there is none now
  bool given_ = false;
  bool out_ = false;
  int calm_ = 0;
  Timer timer_;
};

}  // namespace policyd
