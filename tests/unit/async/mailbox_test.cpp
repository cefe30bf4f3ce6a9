// The mailbox: work of other threads on the loop's thread, and what becomes of callers when it does
// not get done.
#include "policyd/async/mailbox.h"

#include <atomic>
#include <doctest/doctest.h>
#include <thread>

#include "tests/support/run_task.h"

using namespace policyd;

namespace {

constexpr Milliseconds kPatience{30'000};

struct Waiting {
  // Never ends by itself.
  static Task<int> for_ever(bool& begun, std::shared_ptr<int> held) {
    begun = true;
    co_await std::suspend_always{};
    co_return *held;
  }
};

Task<int> seven() {
  co_return 7;
}

// Calls from a thread of its own and keeps what came of it.
struct Caller {
  Caller(Mailbox& mailbox, std::function<Task<int>()> work)
      : thread([this, &mailbox, work = std::move(work)] {
          result = mailbox.call<int>(work, kPatience);
          back = true;
        }) {}
  ~Caller() { thread.join(); }
  std::optional<int> result;
  std::atomic<bool> back = false;
  std::thread thread;
};

}  // namespace

TEST_CASE(
    "mailbox: work of another thread runs on the loop's thread, and the caller gets what it "
    "yields") {
  test::TestLoop loop;
  Mailbox mailbox(loop);
  std::thread::id ran_on;
  Caller caller(mailbox, [&] {
    ran_on = std::this_thread::get_id();
    return seven();
  });
  loop.turn_until([&] { return ran_on != std::thread::id(); });
  while (!caller.back) std::this_thread::yield();
  CHECK(caller.result == 7);
  CHECK(ran_on == std::this_thread::get_id());
}

TEST_CASE("mailbox: closing sends a caller away whose task waits, and drops the task") {
  test::TestLoop loop;
  Mailbox mailbox(loop);
  bool begun = false;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  {
    Caller caller(mailbox,
                  [&begun, held = std::move(held)] { return Waiting::for_ever(begun, held); });
    loop.turn_until([&] { return begun; });
    CHECK_FALSE(caller.back);
    mailbox.close();
    while (!caller.back) std::this_thread::yield();
    CHECK_FALSE(caller.result);
  }
  CHECK(watched.expired());
}

TEST_CASE("mailbox: a closed one takes nothing, and lets nobody wait") {
  test::TestLoop loop;
  Mailbox mailbox(loop);
  mailbox.close();
  Caller caller(mailbox, seven);
  while (!caller.back) std::this_thread::yield();
  CHECK_FALSE(caller.result);
}

TEST_CASE("mailbox: work whose caller has left before it begins is not done") {
  test::TestLoop loop;
  Mailbox mailbox(loop);
  bool ran = false;
  const auto work = [&ran] {
    ran = true;
    return seven();
  };
  CHECK_FALSE(mailbox.call<int>(work, Milliseconds(0)));  // the loop is not turning
  bool later = false;
  Caller caller(mailbox, [&later] {
    later = true;
    return seven();
  });
  loop.turn_until([&] { return later; });
  CHECK_FALSE(ran);
}
