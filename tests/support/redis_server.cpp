#include "tests/support/redis_server.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <utility>

namespace policyd::test {

namespace {

constexpr std::chrono::seconds kPatience{20};
constexpr int kStep = 10;  // ms

// Whether `text` is a whole reply: a line, or a bulk string with its line.
bool whole(const std::string& text) {
  const size_t line = text.find("\r\n");
  if (line == std::string::npos) return false;
  if (text.front() != '$') return true;
  const long length = std::strtol(text.c_str() + 1, nullptr, 10);
  return length < 0 || text.size() >= line + 4 + static_cast<size_t>(length);
}

}  // namespace

RedisServer::RedisServer(std::vector<std::string> options) : options_(std::move(options)) { start(); }

RedisServer::~RedisServer() { kill(); }

void RedisServer::start() {
  std::vector<std::string> words{"redis-server", "--port", "0", "--unixsocket", socket(), "--save", "", "--dir",
                                 directory_.path(), "--logfile", directory_.file("redis.log"), "--daemonize", "no"};
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  process_ = fork();
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing is left behind, however the tests end
    execvp(arguments[0], arguments.data());
    _exit(127);
  }

  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  int connection = connect();
  while (connection < 0 && running() && std::chrono::steady_clock::now() < deadline) {
    poll(nullptr, 0, kStep);
    connection = connect();
  }
  REQUIRE_MESSAGE(connection >= 0, "redis-server does not serve " << socket()
                                       << "; is it installed (apt-get install redis-server)?");
  close(connection);
}

bool RedisServer::running() const { return waitpid(process_, nullptr, WNOHANG) == 0; }

int RedisServer::connect() const {
  const int connection = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket().copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return connection;
  close(connection);
  return -1;
}

std::string RedisServer::command(const std::vector<std::string>& arguments) const {
  std::string request = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& argument : arguments) {
    request += "$" + std::to_string(argument.size()) + "\r\n" + argument + "\r\n";
  }
  const int connection = connect();
  REQUIRE(connection >= 0);
  REQUIRE(write(connection, request.data(), request.size()) == static_cast<ssize_t>(request.size()));
  std::string reply;
  char octets[4096];
  while (!whole(reply)) {
    const ssize_t count = read(connection, octets, sizeof octets);
    if (count <= 0) break;
    reply.append(octets, static_cast<size_t>(count));
  }
  close(connection);
  return reply;
}

void RedisServer::pause() { ::kill(process_, SIGSTOP); }
void RedisServer::resume() { ::kill(process_, SIGCONT); }

void RedisServer::kill() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  process_ = -1;
  unlink(socket().c_str());
}

}  // namespace policyd::test
