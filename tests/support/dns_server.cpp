#include "tests/support/dns_server.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

namespace policyd::test {

DnsServer::DnsServer(const std::string& zones, std::vector<std::string> options) {
  std::vector<std::string> words{"python3", POLICYD_SOURCE_DIR "/tests/support/dns_server.py"};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int input[2], output[2];
  REQUIRE(pipe2(input, O_CLOEXEC) == 0);
  REQUIRE(pipe2(output, O_CLOEXEC) == 0);
  process_ = fork();
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing is left behind, however the tests end
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  to_ = input[1];
  from_ = fdopen(output[0], "r");
  port_ = read_line();
  REQUIRE_MESSAGE(!port_.empty(), "tests/support/dns_server.py does not serve; is python3 installed?");
  change("{\"zones\": " + zones + "}");
}

DnsServer::~DnsServer() { stop(); }

void DnsServer::stop() {
  if (process_ <= 0) return;
  kill(process_, SIGKILL);
  waitpid(std::exchange(process_, -1), nullptr, 0);
  close(to_);
  fclose(from_);
}

int DnsServer::count(const std::string& name, const std::string& type) {
  return std::stoi(tell("{\"count\": [\"" + name + "\", \"" + type + "\"]}"));
}

void DnsServer::change(const std::string& json) { REQUIRE(tell(json) == "ok"); }

std::string DnsServer::tell(const std::string& line) {
  std::string octets;  // one line, whatever the JSON looks like
  for (const char c : line) octets.push_back(c == '\n' ? ' ' : c);
  octets.push_back('\n');
  REQUIRE(write(to_, octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()));
  return read_line();
}

std::string DnsServer::read_line() {
  std::string line;
  for (int c = fgetc(from_); c != EOF && c != '\n'; c = fgetc(from_)) line.push_back(static_cast<char>(c));
  return line;
}

}  // namespace policyd::test
