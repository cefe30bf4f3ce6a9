// A DNS server of a test's own, on a loopback port that the kernel chose: dns_server.py, which says what it can do.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace policyd::test {

class DnsServer {
 public:
  // Serving. `zones`: JSON; `options`: more arguments, {"--delay", "0.05"}.
  explicit DnsServer(const std::string& zones, std::vector<std::string> options = {});
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  // "127.0.0.1:5353".
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + port_; }
  // How often a question has come.
  int count(const std::string& name, const std::string& type);
  // {"zones": {...}}, {"delay": 0.1}, {"answer": "timeout"}.
  void change(const std::string& json);
  // Ends the server: its port answers nothing any more.
  void stop();

 private:
  std::string tell(const std::string& line);
  std::string read_line();

  pid_t process_ = -1;
  int to_ = -1;
  FILE* from_ = nullptr;
  std::string port_;
};

}  // namespace policyd::test
