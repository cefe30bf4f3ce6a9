// The admin API on an embedded store and a real engine; only the HTTP around it is missing.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

#include "policyd/admin/api.h"
#include "policyd/checks/check.h"
#include "policyd/store/memory.h"
#include "tests/support/charges.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_resolver.h"
#include "tests/support/run_task.h"

namespace policyd::test {

inline constexpr std::string_view kApiConfig = R"(
[accounts.default]
messages = ["60/1m", "500/1h"]
recipients = []
bytes = ["2GB/1d"]
[accounts."example.com"]
recipients = ["100/1h"]
)";

inline std::shared_ptr<const Config> read_api_config(std::string_view more) {
  auto parsed = parse_config(std::string(kApiConfig) + std::string(more), "test.toml", check_specs());
  REQUIRE(std::holds_alternative<Config>(parsed));
  return std::make_shared<const Config>(std::get<Config>(std::move(parsed)));
}

struct ApiReply {
  int status;
  Json json;
};

// All that the API stands on.
class ApiRig {
 public:
  explicit ApiRig(std::string_view more = "")
      : engine(read_api_config(more), {mirror, store, resolver, zones, clock, loop, warden, nullptr, &journal}) {
    REQUIRE(store.start().ok());
    journal.reconfigure(engine.config().journal);
  }
  ~ApiRig() { loop.run(store.stop()); }

  ApiReply ask(std::string method, std::string target, std::string body = {}) {
    const HttpRequest request{std::move(method), std::move(target), std::move(body)};
    const HttpResponse response = serve(
        context, request,
        [this](std::function<Task<ApiAnswer>()> work) { return std::optional(loop.run(work())); });
    CHECK(response.body.ends_with("\n"));
    allow = response.allow;
    return {response.status, Json::parse(response.body)};
  }
  std::string error(std::string method, std::string target, std::string body = {}) {
    const ApiReply reply = ask(std::move(method), std::move(target), std::move(body));
    return std::to_string(reply.status) + " " + reply.json.value("error", "no error");
  }
  // A message of `account` passes, as the engine would charge it.
  void send(const std::string& account, int64_t bytes) {
    const auto policy = engine.policy(account);
    const Charge charge = recipient_charge(account, "", "bob@example.net", bytes, &policy->limits);
    CHECK(loop.run(store.charge(charge)).passed);
  }

  TestLoop loop;
  FakeClock clock;
  Mirror mirror{clock};
  MemoryStore store{loop, clock, mirror, ""};
  FakeResolver resolver{
      "mail.example.org A 192.0.2.7\nexample.com A 192.0.2.7\n"
      "example.com TXT v=spf1 ip4:192.0.2.1 ?ip4:192.0.2.7 -all exp=e.example.com\ne.example.com TXT Not from %{i}"};
  Zones zones{resolver, clock};
  Warden warden{loop, store, mirror, nullptr, "mx1"};
  Journal journal{loop, clock, store, "mx1"};
  Engine engine;
  Reporter reporter{loop, clock, engine.tally(), store};
  AdminContext context{engine, store, mirror, clock, resolver, FakeClock::kStart, "mx1", [] {
                         return ListenerStatistics{3, 1};
                        }, [this] { return dns; }, reporter, warden, journal};
  ResolverStatus dns;
  std::string allow;
};

inline const Json kJoe = {{"type", "email"},
                   {"target", "joe@example.com"},
                   {"direction", "out"},
                   {"description", "abnormal volume"},
                   {"reply", "Ask the postmaster"},
                   {"by", "ann"},
                   {"created", "2026-11-01T00:00:00Z"},
                   {"expires", "2026-12-01T00:00:00Z"}};

}  // namespace policyd::test
