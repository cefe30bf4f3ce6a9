#include "tests/support/api_rig.h"

#include <functional>
#include <optional>
#include <utility>

#include "policyd/checks/check.h"
#include "tests/support/charges.h"
#include "tests/support/test_config.h"

namespace policyd::test {

namespace {

constexpr std::string_view kApiConfig = R"(
[accounts.default]
messages = ["60/1m", "500/1h"]
recipients = []
bytes = ["2GB/1d"]
[accounts."example.com"]
recipients = ["100/1h"]
)";

}  // namespace

std::shared_ptr<const Config> read_api_config(std::string_view more) {
  return config_from(std::string(kApiConfig).append(more));
}

ApiRig::ApiRig(std::string_view more)
    : engine(read_api_config(more), {mirror, store, resolver, zones, clock, loop, warden, nullptr, &journal}) {
  REQUIRE(store.start().ok());
  journal.reconfigure(engine.config().journal);
}

ApiRig::~ApiRig() {
  loop.run(store.stop());
}

ApiReply ApiRig::ask(std::string method, std::string target, std::string body) {
  const HttpRequest request{std::move(method), std::move(target), std::move(body)};
  const HttpResponse response = serve(
      context, request,
      [this](std::function<Task<ApiAnswer>()> work) { return std::optional(loop.run(work())); });
  CHECK(response.body.ends_with("\n"));
  allow = response.allow;
  return {response.status, Json::parse(response.body)};
}

std::string ApiRig::error(std::string method, std::string target, std::string body) {
  const ApiReply reply = ask(std::move(method), std::move(target), std::move(body));
  return std::to_string(reply.status) + " " + reply.json.value("error", "no error");
}

void ApiRig::send(const std::string& account, int64_t bytes) {
  const auto policy = engine.policy(account);
  const Charge charge = recipient_charge(account, "", "bob@example.net", bytes, &policy->limits);
  CHECK(loop.run(store.charge(charge)).passed);
}

const Json kJoe = {{"type", "email"},
                   {"target", "joe@example.com"},
                   {"direction", "out"},
                   {"description", "abnormal volume"},
                   {"reply", "Ask the postmaster"},
                   {"by", "ann"},
                   {"created", "2026-11-01T00:00:00Z"},
                   {"expires", "2026-12-01T00:00:00Z"}};

}  // namespace policyd::test
