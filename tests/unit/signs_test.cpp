// The signs of one decision.
#include "policyd/signs.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "tests/support/fake_store.h"

namespace policyd {
namespace {

// How a process ends that asks for `signs` of one decision: the signal, or 0.
int signal_after(size_t signs) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // the test runner's own is for the parent
    test::FakeStore store;
    Verdict verdict;
    Signs::Counting counting(store, verdict);
    const AccountPolicy policy;
    for (size_t i = 0; i < signs; ++i) counting.ask(Outgoing::sign_of("joe", policy, Meter::spam, 1));
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_CASE("signs: a decision that asks for more of them than there is room for ends the process") {
  CHECK(signal_after(Signs::Counting::kMost) == 0);
  CHECK(signal_after(Signs::Counting::kMost + 1) == SIGABRT);
}

}  // namespace
}  // namespace policyd
