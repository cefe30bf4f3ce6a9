// The admin API served: the sockets and their threads on one side, the loop on the other.
//
// Decisions are never held up: an HTTP thread waits for the loop, never the loop for an HTTP
// thread. The server is destroyed on the loop's thread, also while requests are under way: those
// that wait for the loop are told 503 and end first.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policyd/admin/api.h"
#include "policyd/admin/http_server.h"
#include "shared/config.h"
#include "shared/result.h"

struct uv_loop_s;

namespace policyd {

class Mailbox;

class AdminServer {
 public:
  // How long a request waits for the loop and the store.
  static constexpr Milliseconds kPatience{10'000};

  // On the loop's thread. What `context` refers to outlives the server. An Error says which socket,
  // why, and what to do.
  static Result<std::unique_ptr<AdminServer>> start(uv_loop_s* loop, AdminContext context,
                                                    const Config::Admin& config);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

 private:
  AdminServer(uv_loop_s* loop, AdminContext context);
  HttpResponse respond(const HttpRequest& request);

  AdminContext context_;
  std::unique_ptr<Mailbox> mailbox_;
  std::vector<std::unique_ptr<HttpServer>> servers_;  // first to go: its threads use all the rest
};

}  // namespace policyd
