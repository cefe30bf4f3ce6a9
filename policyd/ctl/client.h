// The admin API as policyctl sees it: a method, a path and JSON in, JSON or a sentence out.
//
// The sockets are tried in their order until one answers. Whatever goes wrong is an Answer with an
// exit code and a sentence that says what to do. One connection serves all requests of a run. The
// only user of libcurl.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/ctl/exit_codes.h"
#include "policyd/ctl/json_members.h"
#include "shared/config.h"

namespace policyd {

struct Answer {
  ExitCode code = kDone;
  std::string error;  // with another code than kDone
  Json json;
  bool reached = false;   // somebody took the request
  bool conflict = false;  // refused because there is one already
  bool given_up = false;  // nobody waits for it any more
  [[nodiscard]] bool ok() const { return code == kDone; }
};

class Client {
 public:
  explicit Client(std::vector<Endpoint> sockets);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // From now on a request is given up as soon as that says so; it is asked at least once a second. Empty: none is.
  void give_up_when(std::function<bool()> wanted) { give_up_ = std::move(wanted); }

  Answer get(const std::string& path) { return ask("GET", path, {}); }
  Answer ask(const char* method, const std::string& path, const Json& body);
  Answer ask_text(const char* method, const std::string& path, const std::string& body);

 private:
  struct Transfer;
  Answer send(const Endpoint& socket, const char* method, const std::string& path,
              const std::string& body);

  std::vector<Endpoint> sockets_;
  std::function<bool()> give_up_;
  std::unique_ptr<Transfer> transfer_;
};

// JSON as one line, and as many lines for reading; broken UTF-8 is replaced, unseen characters are escaped.
std::string to_line(const Json& json);
std::string to_document(const Json& json);

}  // namespace policyd
