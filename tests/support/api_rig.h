// The admin API on an embedded store and a real engine; only the HTTP around it is missing.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

#include "policyd/admin/api.h"
#include "policyd/store/memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_resolver.h"
#include "tests/support/run_task.h"

namespace policyd::test {

// Limits for every account, and others for example.com; `more` is added.
std::shared_ptr<const Config> read_api_config(std::string_view more);

struct ApiReply {
  int status;
  Json json;
};

// All that the API stands on.
class ApiRig {
 public:
  explicit ApiRig(std::string_view more = "");
  ~ApiRig();
  ApiRig(const ApiRig&) = delete;
  ApiRig& operator=(const ApiRig&) = delete;

  ApiReply ask(std::string method, std::string target, std::string body = {});
  std::string error(std::string method, std::string target, std::string body = {});
  // A message of `account` passes, as the engine would charge it.
  void send(const std::string& account, int64_t bytes);

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

// A block, as the API shows it.
extern const Json kJoe;

}  // namespace policyd::test
