#include "policyd/descriptors.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

#include "shared/log_line.h"

namespace policyd {

namespace {

constexpr Milliseconds kPeriod{1000};
constexpr int kCalm = 5;  // looks in a row with some left before it is said: not each time that one comes and goes

int open_one() { return eventfd(0, EFD_CLOEXEC); }

rlim_t limit() {
  rlimit both{};
  getrlimit(RLIMIT_NOFILE, &both);
  return both.rlim_cur;
}

}  // namespace

Descriptors::Descriptors(uv_loop_t* loop) : reserve_(open_one()), timer_(loop, [this] { look(); }) {
  timer_.every(kPeriod);
}

Descriptors::~Descriptors() {
  if (reserve_ >= 0) close(reserve_);
}

void Descriptors::look() {
  if (reserve_ < 0) reserve_ = open_one();
  if (reserve_ >= 0) given_ = false;
  const int another = reserve_ < 0 ? -1 : open_one();
  if (another >= 0) close(another);
  note(another >= 0);
}

void Descriptors::give_way() {
  note(false);
  if (reserve_ < 0) {
    usleep(1'000);  // who has got it is a thread that ends what it does with it
    return;
  }
  close(std::exchange(reserve_, -1));
  given_ = true;
}

bool Descriptors::want_it_back() {
  if (!std::exchange(given_, false)) return false;
  reserve_ = open_one();
  return reserve_ < 0;
}

void Descriptors::note(bool left) {
  calm_ = left ? calm_ + 1 : 0;
  if (!left && !std::exchange(out_, true)) {
    log_error("no file descriptors are left (the limit is {}): whoever connects is turned away until there are; "
              "raise LimitNOFILE= of policyd.service, or ulimit -n",
              limit());
  } else if (out_ && calm_ >= kCalm) {
    out_ = false;
    log_info("there are file descriptors left again");
  }
}

}  // namespace policyd
