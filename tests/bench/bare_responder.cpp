// The yardstick of the bench: the least that a policy server on libuv can do.
//
//   bench_responder SOCKET
//
// Answers DUNNO to whatever ends in an empty line, however it is fragmented; looks at nothing else.
// One read and one write a request, no allocation. A client that has no room for a reply of 14
// octets has broken the protocol (one request at a time) and is closed. SIGTERM and SIGINT end it
// with 0; a socket that cannot be served is exit code 1.
#include <csignal>
#include <cstdio>
#include <string_view>
#include <uv.h>

namespace {

struct Client {
  uv_pipe_t pipe;
  char last = '\0';  // the last octet of the request so far: the empty line may come in two parts
};

struct Server {
  uv_loop_t loop;
  uv_pipe_t listener;
  uv_signal_t terminate, interrupt;
  char octets[64 * 1024];  // shared by all clients: what is read is dealt with at once
};

void free_client(uv_handle_t* handle) {
  delete static_cast<Client*>(handle->data);
}

void close_client(Client* client) {
  uv_close(reinterpret_cast<uv_handle_t*>(&client->pipe), free_client);
}

void lend_buffer(uv_handle_t* handle, size_t, uv_buf_t* buffer) {
  auto* server = static_cast<Server*>(handle->loop->data);
  *buffer = uv_buf_init(server->octets, sizeof server->octets);
}

void answer(Client* client) {
  static constexpr std::string_view kReply = "action=DUNNO\n\n";
  uv_buf_t reply = uv_buf_init(const_cast<char*>(kReply.data()), kReply.size());
  auto* stream = reinterpret_cast<uv_stream_t*>(&client->pipe);
  if (uv_try_write(stream, &reply, 1) != static_cast<int>(kReply.size())) close_client(client);
}

void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  auto* client = static_cast<Client*>(stream->data);
  if (size < 0) return close_client(client);
  if (size == 0) return;
  std::string_view octets(buffer->base, static_cast<size_t>(size));
  bool ends = size == 1 ? client->last == '\n' && octets == "\n" : octets.ends_with("\n\n");
  client->last = ends ? '\0' : octets.back();
  if (ends) answer(client);
}

void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  auto* client = new Client;
  uv_pipe_init(listener->loop, &client->pipe, 0);
  client->pipe.data = client;
  auto* stream = reinterpret_cast<uv_stream_t*>(&client->pipe);
  if (uv_accept(listener, stream) < 0) return close_client(client);
  uv_read_start(stream, lend_buffer, on_read);
}

int fail(const char* what, const char* path, int error) {
  std::fprintf(stderr, "bench_responder: %s %s: %s\n", what, path, uv_strerror(error));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_responder SOCKET\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  static Server server;
  uv_loop_init(&server.loop);
  server.loop.data = &server;
  uv_pipe_init(&server.loop, &server.listener, 0);
  auto* listener = reinterpret_cast<uv_stream_t*>(&server.listener);
  if (int error = uv_pipe_bind(&server.listener, argv[1]))
    return fail("cannot bind", argv[1], error);
  if (int error = uv_listen(listener, 4096, on_connection))
    return fail("cannot listen on", argv[1], error);

  auto stop = [](uv_signal_t* signal, int) { uv_stop(signal->loop); };
  uv_signal_init(&server.loop, &server.terminate);
  uv_signal_init(&server.loop, &server.interrupt);
  uv_signal_start(&server.terminate, stop, SIGTERM);
  uv_signal_start(&server.interrupt, stop, SIGINT);
  uv_run(&server.loop, UV_RUN_DEFAULT);
  return 0;  // the process ends: the kernel takes the clients back faster than we could
}
