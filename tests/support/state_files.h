// State files in tests: opened and read or failed, and changed as another program would.
#pragma once

#include <memory>
#include <string>

#include "policyd/store/state_file.h"
#include "tests/support/fake_clock.h"

namespace policyd::test {

inline constexpr WallTime kNow = FakeClock::kStart;

std::unique_ptr<StateFile> open_or_fail(const std::string& path);
StateFile::Contents load(const std::string& path, WallTime now = kNow);
std::string error_of_opening(const std::string& path);

// What another program, or a hand, does to the file.
void run_sql(const std::string& path, const std::string& sql);

Block block_of(std::string target);

}  // namespace policyd::test
