// A Redis server of a test's own: on a unix socket in a directory of its own, no TCP port, nothing on disk.
//
// Needs the program redis-server (Debian: redis-server); a test that cannot start it fails and says so.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace policyd::test {

class RedisServer {
 public:
  // Started and answering. `options` are added to the command line: {"--requirepass", "secret"}.
  explicit RedisServer(std::vector<std::string> options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  [[nodiscard]] std::string socket() const { return directory_.file("redis.sock"); }
  [[nodiscard]] std::string url() const { return "redis+unix://" + socket(); }

  // Sends one command, as an operator with redis-cli would, and yields the raw reply ("+OK\r\n", ":1\r\n").
  [[nodiscard]] std::string command(const std::vector<std::string>& arguments) const;

  void pause();    // SIGSTOP: takes connections, answers nothing
  void resume();   // SIGCONT
  void kill();     // SIGKILL
  void start();    // again, empty

 private:
  [[nodiscard]] bool running() const;
  [[nodiscard]] int connect() const;  // -1: not (yet) listening

  TemporaryDirectory directory_;
  std::vector<std::string> options_;
  pid_t process_ = -1;
};

}  // namespace policyd::test
