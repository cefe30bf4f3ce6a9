// One run of policyctl: its options, its way to policyd, and how results and failures are shown.
//
// With --json standard output is one JSON document, and a failure is {"error": "..."} on standard
// error; without, both are for people. Nothing else writes to the terminal (but for Screen), so nothing that a stranger
// wrote reaches it as it came.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "policyd/ctl/client.h"
#include "policyd/ctl/exit_codes.h"
#include "policyd/ctl/json_members.h"
#include "shared/result.h"

namespace policyd {

struct Options {
  std::string config = "/etc/policyd/policyd.toml";
  bool config_given = false;
  std::string socket;  // a path, or an endpoint; goes before `config`
  bool json = false;
};

class Session {
 public:
  explicit Session(Options options) : options_(std::move(options)) {}

  [[nodiscard]] const Options& options() const { return options_; }

  // The admin API. The first call finds the socket.
  Answer get(const std::string& path) { return ask("GET", path); }
  Answer ask(const char* method, const std::string& path, const Json& body = {});
  Answer ask_text(const char* method, const std::string& path, const std::string& body);
  // As of Client.
  void give_up_when(std::function<bool()> wanted);

  // All of these return the exit code.
  int show(const Answer& answer, const std::function<std::string(const Json&)>& render) const;
  int show(const Json& json, const std::string& text) const;
  // To standard output: lines, whatever they hold as displayable_lines() has it. What it does not take is a failure.
  int print(const std::string& lines) const;
  int fail(const Answer& answer) const { return fail(answer.code, answer.error); }
  int fail(ExitCode code, const std::string& sentence) const;

 private:
  Result<std::vector<Endpoint>> find_sockets() const;
  // Empty once there is a client; else what failed.
  Answer connect();

  Options options_;
  std::function<bool()> give_up_;
  std::unique_ptr<Client> client_;
};

// The octets of a file; "-" is standard input.
Result<std::string> read_input(const std::string& path);

}  // namespace policyd
