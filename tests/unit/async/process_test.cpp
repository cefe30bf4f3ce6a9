// Programs that are run: input, what they say, how they end, and what they are not given.
#include "policyd/async/process.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "policyd/async/task.h"
#include "tests/support/no_sigpipe.h"
#include "tests/support/run_task.h"
#include "tests/support/temporary_directory.h"

using namespace policyd;

namespace {

constexpr Milliseconds kLong{60'000};

Task<ProcessEnd> wait_for(Process& process) { co_return co_await process; }

ProcessEnd run_shell(const std::string& script, std::string input = "", Milliseconds limit = kLong) {
  const test::NoSigpipe no_sigpipe;
  test::TestLoop loop;
  const std::vector<std::string> command{"/bin/sh", "-c", script};
  Process process(loop, command, std::move(input), limit);
  return loop.run(wait_for(process));
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// A process that is there and no zombie.
bool alive(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string id, name, state;
  return file >> id >> name >> state && state != "Z";
}

}  // namespace

TEST_CASE("process: it is given its input, and what it says first is kept") {
  const ProcessEnd end = run_shell("cat >&2; echo more >&2", "one\ntwo\n");
  CHECK(end.well());
  CHECK(end.said == "one");
  CHECK_FALSE(end.timed_out);
}

TEST_CASE("process: exit status and signal") {
  const ProcessEnd failed = run_shell("echo why >&2; exit 75");
  CHECK_FALSE(failed.well());
  CHECK(failed.exit_status == 75);
  CHECK(failed.signal == 0);
  CHECK(failed.said == "why");
  const ProcessEnd killed = run_shell("kill -9 $$");
  CHECK_FALSE(killed.well());
  CHECK(killed.signal == SIGKILL);
}

TEST_CASE("process: one that cannot be started") {
  const test::NoSigpipe no_sigpipe;
  test::TestLoop loop;
  Process none(loop, {"/nonexistent/command"}, "x", kLong);
  CHECK(loop.run(wait_for(none)).trouble == "no such file or directory");
  Process directory(loop, {"/"}, "x", kLong);
  CHECK(loop.run(wait_for(directory)).trouble == "permission denied");
}

TEST_CASE("process: one that reads nothing, and one that says too much") {
  CHECK(run_shell("exec <&-; true", std::string(4 << 20, 'x')).well());
  CHECK(run_shell("true", std::string(4 << 20, 'x')).well());
  const ProcessEnd end = run_shell("head -c 1000000 /dev/zero | tr '\\0' x >&2");
  CHECK(end.well());
  CHECK(end.said == std::string(Process::kLongestSaid, 'x'));
}

TEST_CASE("process: what it says last is not lost where others hold its standard error open") {
  const test::TemporaryDirectory directory;  // the one that holds it open ends when this is gone
  const ProcessEnd end = run_shell("(while [ -d '" + directory.path() + "' ]; do :; done) & echo last >&2; exit 3");
  CHECK(end.exit_status == 3);
  CHECK(end.said == "last");
}

TEST_CASE("process: at its time limit it is ended, with all that it has started") {
  test::TemporaryDirectory directory;
  const std::string file = directory.file("child");
  const test::NoSigpipe no_sigpipe;
  test::TestLoop loop;
  const std::vector<std::string> command{"/bin/sh", "-c", "sleep 1000 & echo $! > '" + file + "'; wait"};
  Process process(loop, command, "", Milliseconds(1000));
  const ProcessEnd end = loop.run(wait_for(process));
  CHECK_FALSE(end.well());
  CHECK(end.timed_out);
  pid_t child = 0;
  std::ifstream(file) >> child;
  if (child > 0) loop.turn_until([child] { return !alive(child); });
}

TEST_CASE("process: one that ignores SIGTERM is killed") {
  test::TemporaryDirectory directory;
  const std::string ready = directory.file("ready");
  const test::NoSigpipe no_sigpipe;
  test::TestLoop loop;
  const std::vector<std::string> command{"/bin/sh", "-c", "trap '' TERM; : > '" + ready + "'; sleep 1000; sleep 1000"};
  Process process(loop, command, "", kLong);
  const Task<ProcessEnd> waiting = wait_for(process);
  waiting.start();
  loop.turn_until([&] { return exists(ready); });
  process.end();
  loop.turn_until([&] { return waiting.done(); });
  const ProcessEnd end = waiting.result();
  CHECK(end.signal == SIGKILL);
  CHECK(end.ended_early);
  CHECK_FALSE(end.timed_out);
}

TEST_CASE("process: one that is dropped is killed") {
  test::TemporaryDirectory directory;
  const std::string file = directory.file("pid");
  const test::NoSigpipe no_sigpipe;
  test::TestLoop loop;
  pid_t pid = 0;
  {
    Process process(loop, {"/bin/sh", "-c", "echo $$ > '" + file + "'; exec sleep 1000"}, "", kLong);
    loop.turn_until([&] { return std::ifstream(file) >> pid && pid > 0; });
  }
  loop.turn_until([pid] { return !alive(pid); });
}

TEST_CASE("process: no descriptor of ours is given to it, and it leads its own group") {
  constexpr int kLeaky = 50;
  REQUIRE(dup2(STDERR_FILENO, kLeaky) == kLeaky);  // without O_CLOEXEC
  // The fourth is the shell's own, of the folder that it lists.
  const ProcessEnd open_ones = run_shell("for fd in /proc/$$/fd/*; do all=\"$all ${fd##*/}\"; done; echo $all >&2");
  CHECK(open_ones.said == "0 1 2 3");
  const ProcessEnd group = run_shell("read -r pid name state parent group rest < /proc/$$/stat; "
                                     "[ $group = $$ ] && echo leader >&2; readlink /proc/$$/fd/1 > /dev/null");
  CHECK(group.said == "leader");
  close(kLeaky);
}
