#include "policyd/admin/admin_server.h"

#include "policyd/async/mailbox.h"

namespace policyd {

Result<std::unique_ptr<AdminServer>> AdminServer::start(uv_loop_s* loop, AdminContext context,
                                                        const Config::Admin& config) {
  std::unique_ptr<AdminServer> server(new AdminServer(loop, std::move(context)));
  for (const Endpoint& endpoint : config.listen) {
    auto listener = UnixListener::open(endpoint, config.socket_mode);
    if (!listener) return listener.error();
    auto http = HttpServer::start(
        std::move(*listener),
        [admin = server.get()](const HttpRequest& request) { return admin->respond(request); });
    if (!http) return http.error();
    server->servers_.push_back(std::move(*http));
  }
  return server;
}

AdminServer::AdminServer(uv_loop_s* loop, AdminContext context)
    : context_(std::move(context)), mailbox_(std::make_unique<Mailbox>(loop)) {}

AdminServer::~AdminServer() {
  mailbox_->close();  // nobody waits for the loop any more, so that the threads can be waited for
  servers_.clear();
}

HttpResponse AdminServer::respond(const HttpRequest& request) {
  return serve(context_, request, [this](std::function<Task<ApiAnswer>()> work) {
    return mailbox_->call<ApiAnswer>(std::move(work), kPatience);
  });
}

}  // namespace policyd
