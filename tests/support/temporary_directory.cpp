#include "tests/support/temporary_directory.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

namespace policyd::test {

TemporaryDirectory::TemporaryDirectory()
    : path_((std::filesystem::temp_directory_path() / "policyd-test-XXXXXX").string()) {
  REQUIRE(mkdtemp(path_.data()) != nullptr);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace policyd::test
