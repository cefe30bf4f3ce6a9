#include "policyd/admin/api.h"

#include <algorithm>
#include <array>
#include <utility>

#include "policyd/admin/resources.h"
#include "policyd/admin/target.h"
#include "shared/shallow_json.h"
#include "shared/text.h"

namespace policyd {

namespace {

Task<ApiAnswer> list_routes(const AdminContext&, const ApiRequest&) {
  Json routes = Json::array();
  for (const ApiRoute& route : api_routes()) {
    routes.push_back({{"method", route.method}, {"path", route.path}, {"summary", route.summary}});
  }
  Json body = {{"routes", std::move(routes)}};
  co_return answer(std::move(body));
}

constexpr std::array kRoutes = {
    ApiRoute{"GET", "/v1", "this list", ApiBody::none, list_routes},
    ApiRoute{"GET", "/v1/status", "node, store, nodes, requests and verdicts", ApiBody::none,
             get_status},
    ApiRoute{"GET", "/v1/blocks", "all blocks in force", ApiBody::none, list_blocks},
    ApiRoute{"POST", "/v1/blocks", "adds a block; 409 where there is one", ApiBody::json,
             add_block},
    ApiRoute{"GET", "/v1/blocks/{type}/{target}", "one block", ApiBody::none, get_block},
    ApiRoute{"PUT", "/v1/blocks/{type}/{target}", "adds or replaces a block", ApiBody::json,
             put_block},
    ApiRoute{"PATCH", "/v1/blocks/{type}/{target}", "changes what is given of a block",
             ApiBody::json, patch_block},
    ApiRoute{"DELETE", "/v1/blocks/{type}/{target}", "lifts a block", ApiBody::none, delete_block},
    ApiRoute{"GET", "/v1/accounts", "accounts with usage; ?limit=N", ApiBody::none, list_accounts},
    ApiRoute{"GET", "/v1/accounts/{account}", "usage against limits, and where settings come from",
             ApiBody::none, get_account},
    ApiRoute{"POST", "/v1/accounts/{account}/reset", "forgets what was counted", ApiBody::none,
             reset_account},
    ApiRoute{"PUT", "/v1/accounts/{account}/settings/{key}",
             "overrides a setting: {\"value\": TEXT}", ApiBody::json, put_setting},
    ApiRoute{"DELETE", "/v1/accounts/{account}/settings/{key}", "lifts an override", ApiBody::none,
             delete_setting},
    ApiRoute{"GET", "/v1/locks", "all locks in force", ApiBody::none, list_locks},
    ApiRoute{"PUT", "/v1/accounts/{account}/lock",
             "locks it: {\"reason\": TEXT, \"for\": \"1h\"}; 409 where it is locked", ApiBody::json, lock_account},
    ApiRoute{"POST", "/v1/accounts/{account}/signs",
             "counts a sign that others have seen: {\"sign\": \"spam\" or \"invalid_recipients\", \"count\": N}",
             ApiBody::json, report_sign},
    ApiRoute{"POST", "/v1/accounts/{account}/unlock", "lifts its lock, and begins to count anew", ApiBody::json,
             unlock_account},
    ApiRoute{"POST", "/v1/check", "what a request of Postfix would be answered, and why",
             ApiBody::text, check_request},
    ApiRoute{"POST", "/v1/spf", "SPF: {\"client\": IP, \"sender\": ADDRESS, \"helo\": NAME}", ApiBody::json,
             check_spf_by_hand},
    ApiRoute{"GET", "/v1/reports/greylist", "who came back and who did not; ?since=7d&by=client&limit=N", ApiBody::none,
             report_greylist},
    ApiRoute{"GET", "/v1/reports/checks", "what checks and DNS lists found and decided; ?since=7d", ApiBody::none,
             report_checks},
    ApiRoute{"GET", "/v1/top", "the busiest accounts of late, those nearest to a limit first; ?limit=N", ApiBody::none,
             list_busiest},
    ApiRoute{"GET", "/v1/journal",
             "refusals, in the order in which they came; ?since=1h&until=TIME&account=A&client=NETWORK&sender=A"
             "&recipient=A&action=reject,hold&check=NAME&held=yes&order=newest&after=PLACE&limit=N",
             ApiBody::none, list_journal},
    ApiRoute{"GET", "/v1/journal/{id}", "all that led to one refusal", ApiBody::none, get_journal_entry},
    ApiRoute{"GET", "/v1/config", "the configuration in force, as TOML", ApiBody::none, get_config},
};

HttpResponse write(const ApiAnswer& given) {
  return {given.status, to_text(given.body()), {}};
}

HttpResponse write_refusal(int status, std::string sentence) {
  return write(refusal(status, std::move(sentence)));
}

// The methods that `path` has, "GET, PUT"; empty where no route has that path.
std::string methods_of(const std::vector<std::string>& path) {
  std::string methods;
  for (const ApiRoute& route : api_routes()) {
    if (!match_path(route.path, path)) continue;
    methods.append(methods.empty() ? "" : ", ").append(route.method);
  }
  return methods;
}

HttpResponse no_route(const HttpRequest& request, const std::vector<std::string>& path) {
  const std::string methods = methods_of(path);
  const std::string asked = policyd::quoted(request.method + " " + request.target);
  if (methods.empty())
    return write_refusal(404, asked + " is not in the API; GET /v1 lists what is");
  HttpResponse response =
      write_refusal(405, asked + " is not in the API; that path takes " + methods);
  response.allow = methods;
  return response;
}

Result<void> read_body(const ApiRoute& route, const std::string& body, ApiRequest& request) {
  if (route.body == ApiBody::text) request.text = body;
  if (route.body != ApiBody::json) return {};
  request.json = parse_shallow_json(body);
  if (!request.json.is_object()) return Error{"the body is not a JSON object"};
  return {};
}

}  // namespace

std::span<const ApiRoute> api_routes() {
  return kRoutes;
}

ApiAnswer answer(Json body, int status) {
  return {status, [body = std::move(body)]() mutable { return std::move(body); }};
}

ApiAnswer refusal(int status, std::string sentence) {
  Json body = {{"error", std::move(sentence)}};
  return answer(std::move(body), status);
}

HttpResponse serve(const AdminContext& context, const HttpRequest& request, const LoopRunner& run) {
  const Result<HttpTarget> target = HttpTarget::parse(request.target);
  if (!target) return write_refusal(400, target.error().message);
  ApiRequest asked;
  const auto* route = std::find_if(kRoutes.begin(), kRoutes.end(), [&](const ApiRoute& one) {
    auto found = one.method == request.method ? match_path(one.path, target->path) : std::nullopt;
    if (found) asked.path = std::move(*found);
    return found.has_value();
  });
  if (route == kRoutes.end()) return no_route(request, target->path);
  asked.query = target->query;
  if (auto read = read_body(*route, request.body, asked); !read)
    return write_refusal(400, read.error().message);
  const auto given = run([&context, handler = route->handler, asked = std::move(asked)] {
    return handler(context, asked);
  });
  if (!given) return write_refusal(503, "policyd is too busy to answer, or stopping; try again");
  return write(*given);
}

}  // namespace policyd
