// Says of a flag, for as long as it lives, that something is under way: a task that is dropped on its way leaves no
// flag behind.
#pragma once

namespace policyd {

class Busy {
 public:
  explicit Busy(bool& flag) : flag_(flag) { flag_ = true; }
  ~Busy() { flag_ = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  bool& flag_;
};

}  // namespace policyd
