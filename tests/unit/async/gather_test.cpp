// Several tasks side by side: results in order, the deadline, and what becomes of tasks that are dropped.
#include "policyd/async/gather.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "tests/support/gate.h"
#include "tests/support/run_task.h"

using namespace policyd;

namespace {

using Results = std::vector<std::optional<int>>;

constexpr Milliseconds kLong{60'000};

Task<int> at_once(int value) { co_return value; }

// Waits at `gate`. `frame` is alive as long as the task's frame is.
Task<int> after(test::Gate& gate, int value, std::shared_ptr<int> frame = nullptr) {
  auto passing = gate.pass();
  co_await passing;
  if (frame) *frame = value;
  co_return value;
}

Task<Results> gathered(uv_loop_t* loop, std::vector<Task<int>> tasks, Milliseconds limit = kLong) {
  auto gathering = gather(loop, std::move(tasks), limit);
  co_return co_await gathering;
}

// Tasks cannot be copied, so a list of them is built one by one.
template <class... Tasks>
std::vector<Task<int>> all(Tasks... tasks) {
  std::vector<Task<int>> made;
  (made.push_back(std::move(tasks)), ...);
  return made;
}

bool on_loop(uv_loop_t* loop) {
  bool any = false;
  uv_walk(loop, [](uv_handle_t*, void* found) { *static_cast<bool*>(found) = true; }, &any);
  return any;
}

}  // namespace

TEST_CASE("gather: tasks that never wait are done at once, without a timer") {
  test::TestLoop loop;
  const auto task = gather(loop, all(at_once(1), at_once(2), at_once(3)), kLong);
  task.start();
  REQUIRE(task.done());
  CHECK_FALSE(on_loop(loop));
  CHECK(task.result() == Results{1, 2, 3});
}

TEST_CASE("gather: nothing to wait for") {
  test::TestLoop loop;
  CHECK(loop.run(gathered(loop, {})).empty());
}

TEST_CASE("gather: results stand in the order of the tasks, whichever ends first") {
  test::TestLoop loop;
  test::Gate first, second;
  const auto task = gathered(loop, all(after(first, 1), at_once(2), after(second, 3)));
  task.start();
  CHECK_FALSE(task.done());
  second.open();
  CHECK_FALSE(task.done());
  first.open();
  REQUIRE(task.done());
  CHECK(task.result() == Results{1, 2, 3});
}

TEST_CASE("gather: tasks that end together") {
  test::TestLoop loop;
  test::Gate gate;
  const auto task = gathered(loop, all(after(gate, 1), after(gate, 2), after(gate, 3)));
  task.start();
  CHECK(gate.waiting() == 3);
  gate.open();
  REQUIRE(task.done());
  CHECK(task.result() == Results{1, 2, 3});
}

TEST_CASE("gather: a task that waits several times") {
  test::TestLoop loop;
  test::Gate first, second, other;
  const auto twice = [&]() -> Task<int> {
    auto one = first.pass();
    co_await one;
    auto two = second.pass();
    co_await two;
    co_return 1;
  };
  const auto task = gathered(loop, all(twice(), after(other, 2)));
  task.start();
  first.open();
  other.open();
  CHECK_FALSE(task.done());
  second.open();
  REQUIRE(task.done());
  CHECK(task.result() == Results{1, 2});
}

TEST_CASE("gather: what has not ended by the deadline is dropped and has no result; the others keep theirs") {
  test::TestLoop loop;
  test::Gate never, soon;
  auto frame = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = frame;
  const auto task = gathered(loop, all(after(soon, 1), after(never, 2, std::move(frame)), at_once(3)), Milliseconds(1));
  task.start();
  soon.open();
  CHECK_FALSE(task.done());
  loop.turn_until([&task] { return task.done(); });
  CHECK(task.result() == Results{1, std::nullopt, 3});
  CHECK(watched.expired());
  CHECK(never.waiting() == 0);
  never.open();  // wakes nobody
}

TEST_CASE("gather: dropped while it waits, it drops its tasks and its timer") {
  test::TestLoop loop;  // fails if a timer is left
  test::Gate gate;
  auto frame = std::make_shared<int>(0);
  {
    const auto task = gathered(loop, all(after(gate, 1, frame), after(gate, 2, frame)));
    task.start();
    CHECK(frame.use_count() == 3);
  }
  CHECK(frame.use_count() == 1);
  CHECK(gate.waiting() == 0);
  gate.open();
  CHECK(*frame == 0);
}

TEST_CASE("gather: who has to wait is told of, when it ends and at the limit") {
  test::TestLoop loop;
  test::Gate now, soon, never;
  now.open();
  std::vector<size_t> waited;
  const auto note = [&waited](size_t place) { waited.push_back(place); };
  const auto task = gather(loop, all(after(now, 1), after(never, 2), after(soon, 3)), Milliseconds(1), note);
  task.start();
  CHECK(waited.empty());
  soon.open();
  CHECK(waited == std::vector<size_t>{2});
  loop.turn_until([&task] { return task.done(); });
  CHECK(waited == std::vector<size_t>{2, 1});
}

TEST_CASE("gather: within a task of another gather") {
  test::TestLoop loop;
  test::Gate gate, never;
  const auto sum = [&]() -> Task<int> {
    auto gathering = gather(loop, all(after(gate, 1), after(never, 2)), Milliseconds(1));
    const Results results = co_await gathering;
    int total = 0;
    for (const auto& result : results) total += result.value_or(10);
    co_return total;
  };
  const auto task = gathered(loop, all(sum(), after(gate, 5)));
  task.start();
  gate.open();
  loop.turn_until([&task] { return task.done(); });
  CHECK(task.result() == Results{11, 5});
}
