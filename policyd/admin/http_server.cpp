#include "policyd/admin/http_server.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <microhttpd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace policyd {

namespace {

// A request while it arrives; microhttpd keeps the pointer for us from the request line to the end.
struct Upload {
  HttpRequest request;
  bool begun = false;
  bool too_large = false;
};

HttpServer& server_of(void* closure) { return *static_cast<HttpServer*>(closure); }

int descriptor_of(MHD_Connection* connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

void set_patience(MHD_Connection* connection, unsigned seconds) {
  MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

void on_connection(void* server, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode what) {
  const int fd = descriptor_of(connection);
  if (what == MHD_CONNECTION_NOTIFY_CLOSED) return server_of(server).callers().left(fd);
  ucred caller{};
  socklen_t size = sizeof caller;
  getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &caller, &size);
  server_of(server).callers().came(fd, caller.uid);
}

void* on_request_line(void*, const char* target, MHD_Connection*) {
  auto* upload = new Upload;
  upload->request.target = target;
  return upload;
}

void on_completed(void* server, MHD_Connection* connection, void** state, MHD_RequestTerminationCode) {
  server_of(server).callers().idle(descriptor_of(connection));
  set_patience(connection, HttpServer::kSilentSeconds);
  delete static_cast<Upload*>(std::exchange(*state, nullptr));
}

MHD_Result send(MHD_Connection* connection, const HttpResponse& response) {
  // MHD only copies from the buffer, whatever its signature says.
  auto* message = MHD_create_response_from_buffer(
      response.body.size(), const_cast<char*>(response.body.data()), MHD_RESPMEM_MUST_COPY);
  if (!message) return MHD_NO;
  MHD_add_response_header(message, "Content-Type", "application/json");
  if (!response.allow.empty()) MHD_add_response_header(message, "Allow", response.allow.c_str());
  const MHD_Result queued =
      MHD_queue_response(connection, static_cast<unsigned>(response.status), message);
  MHD_destroy_response(message);
  return queued;
}

// Called once with the head, then for each part of the body, then once more with nothing.
MHD_Result on_request(void* server, MHD_Connection* connection, const char*, const char* method,
                      const char*, const char* part, size_t* part_size, void** state) {
  auto* upload = static_cast<Upload*>(*state);
  if (!upload) return MHD_NO;
  if (!std::exchange(upload->begun, true)) {
    upload->request.method = method;
    return MHD_YES;
  }
  if (*part_size > 0) {
    std::string& body = upload->request.body;
    if (body.size() + *part_size > HttpServer::kLargestBody) upload->too_large = true;
    if (!upload->too_large) body.append(part, *part_size);
    *part_size = 0;
    return MHD_YES;
  }
  if (upload->too_large) {
    return send(connection,
                {413, "{\"error\": \"the body is larger than 1 MiB; send less at a time\"}\n", {}});
  }
  server_of(server).callers().busy(descriptor_of(connection));
  set_patience(connection, HttpServer::kAnswerSeconds);  // it runs while the handler does
  return send(connection, server_of(server).handler()(upload->request));
}

}  // namespace

HttpServer::HttpServer(UnixListener listener, Handler handler)
    : listener_(std::move(listener)), handler_(std::move(handler)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::start(UnixListener listener, Handler handler) {
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(listener), std::move(handler)));
  // MHD closes the descriptor that it is given; the listener keeps its own, and with it the file.
  const int fd = fcntl(server->listener_.fd(), F_DUPFD_CLOEXEC, 0);
  server->daemon_ = MHD_start_daemon(
      MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, nullptr,
      nullptr, on_request, server.get(), MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
      kConnections, MHD_OPTION_CONNECTION_TIMEOUT, kSilentSeconds, MHD_OPTION_URI_LOG_CALLBACK,
      on_request_line, nullptr, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server.get(),
      MHD_OPTION_NOTIFY_CONNECTION, on_connection, server.get(), MHD_OPTION_END);
  if (server->daemon_) return server;
  const int reason = errno;
  if (fd >= 0) close(fd);
  return Error{"cannot serve the admin API on unix:" + server->listener_.path() + ": " +
               std::strerror(reason)};
}

HttpServer::~HttpServer() {
  if (daemon_) MHD_stop_daemon(daemon_);
}

}  // namespace policyd
