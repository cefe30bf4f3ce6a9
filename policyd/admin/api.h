// The admin API: from an HTTP request to JSON. policyctl is its main client.
//
// A request goes through three hands: read_request() finds the route and parses what came (any
// thread), the route's handler asks engine, store and mirror (the loop's thread), and the answer's
// body is written out (any thread). So the loop does only what it must, however long a list is.
// Every failure is a status of 4xx or 5xx and {"error": "one sentence"}.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/admin/http_server.h"
#include "policyd/admin/json.h"
#include "policyd/async/task.h"
#include "policyd/dns/caching_resolver.h"
#include "policyd/dns/resolver.h"
#include "policyd/engine.h"
#include "policyd/journal/journal.h"
#include "policyd/report/reporter.h"
#include "policyd/store/mirror.h"
#include "policyd/store/store.h"
#include "shared/clock.h"

namespace policyd {

// What the listeners for Postfix count.
struct ListenerStatistics {
  uint64_t connections = 0;   // open now
  uint64_t bad_requests = 0;  // since start
};

// What handlers see, all of it on the loop's thread. It outlives the API.
struct AdminContext {
  Engine& engine;
  Store& store;
  const Mirror& mirror;
  const Clock& clock;
  Resolver& resolver;
  WallTime started;
  std::string node;
  std::function<ListenerStatistics()> listeners;
  std::function<ResolverStatus()> dns;
  Reporter& reporter;
  Warden& warden;
  Journal& journal;
};

// A request, routed and parsed.
struct ApiRequest {
  std::vector<std::string> path;             // what stood for the {names} of the route, decoded
  std::map<std::string, std::string> query;  // decoded
  Json json;                                 // where the route takes JSON: an object
  std::string text;                          // where it takes text
};

struct ApiAnswer {
  int status = 200;
  std::function<Json()> body;  // called once, on any thread: holds all it needs
};

// An answer that is small enough to be written out on the loop's thread.
ApiAnswer answer(Json body, int status = 200);
ApiAnswer refusal(int status, std::string sentence);

enum class ApiBody : uint8_t { none, json, text };

struct ApiRoute {
  std::string_view method;
  std::string_view path;  // "/v1/blocks/{type}/{target}"
  std::string_view summary;
  ApiBody body;
  // `request` and `context` outlive the task.
  Task<ApiAnswer> (*handler)(const AdminContext& context, const ApiRequest& request);
};

// THE list of routes.
std::span<const ApiRoute> api_routes();

// Runs a handler's task on the loop's thread and waits for it; nothing where the loop does not get
// to it.
using LoopRunner = std::function<std::optional<ApiAnswer>(std::function<Task<ApiAnswer>()>)>;

// All of it, for a thread that may wait.
HttpResponse serve(const AdminContext& context, const HttpRequest& request, const LoopRunner& run);

}  // namespace policyd
