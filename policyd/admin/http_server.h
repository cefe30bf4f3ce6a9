// HTTP on a unix socket, on threads of its own; what a request means is the handler's business.
//
// Everything is bounded: connections, the head of a request, its body, the time a silent client is kept; connections
// that ask nothing make room for others. The handler is called on the thread of the client's connection and may wait;
// a slow client keeps nobody else waiting. Targets are handed on as they came, still percent-encoded: only the router
// knows which slashes are separators. The only user of libmicrohttpd.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "policyd/admin/callers.h"
#include "policyd/admin/unix_listener.h"
#include "shared/result.h"

struct MHD_Daemon;

namespace policyd {

struct HttpRequest {
  std::string method;  // "GET"
  std::string target;  // "/v1/blocks/client/192.0.2.0%2F24?limit=1"
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string body;   // JSON
  std::string allow;  // with 405: the methods that would do
};

class HttpServer {
 public:
  static constexpr size_t kLargestBody = 1024 * 1024;
  static constexpr unsigned kCrowded = 48;        // from so many on, those that ask nothing make room
  static constexpr unsigned kConnections = 256;   // those that make room and have not gone yet included
  static constexpr unsigned kSilentSeconds = 5;   // without an octet of a request
  static constexpr unsigned kAnswerSeconds = 30;  // for the handler, and for the client to take what it says

  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  // Serves until it is destroyed. `handler` is called on several threads at a time.
  static Result<std::unique_ptr<HttpServer>> start(UnixListener listener, Handler handler);
  // Waits for handlers that are running.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] const Handler& handler() const { return handler_; }
  [[nodiscard]] Callers& callers() { return callers_; }

 private:
  HttpServer(UnixListener listener, Handler handler);

  UnixListener listener_;
  Handler handler_;
  Callers callers_{kCrowded};
  MHD_Daemon* daemon_ = nullptr;
};

}  // namespace policyd
