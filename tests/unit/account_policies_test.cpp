// Which settings are in force for an account: each key from the nearest place, and what makes policyd look again.
#include "policyd/account_policies.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "shared/duration.h"
#include "tests/support/fake_clock.h"
#include "tests/support/test_config.h"

namespace policyd {
namespace {

constexpr std::string_view kFile = R"(
[accounts.default]
messages = ["10/1m"]
recipients = ["100/1h"]
bytes = ["1GB/1d"]
on_limit = "defer"

[accounts."example.com"]
messages = ["20/1m"]
recipients = ["200/1h"]

[accounts."joe@example.com"]
messages = ["30/1m", "300/1h"]
)";

struct Rig {
  explicit Rig(std::string_view toml = kFile) : policies(test::config_from(toml), mirror) {}

  // "KEY VALUE; ..." of those that kFile sets.
  std::string in_force(std::string_view account) {
    const auto policy = policies.of(account);
    std::string all;
    for (const auto& [key, value] : policy->settings.to_map()) {
      const bool shown = kFile.find("\n" + key + " = ") != std::string_view::npos;
      if (shown) all += (all.empty() ? "" : "; ") + key + " " + value;
    }
    return all;
  }
  static bool about_locks(std::string_view key) {
    return key == "auto_lock" || key == "lock_time" || key == "max_unlocks";
  }
  // As "auto_lock lock_time max_unlocks".
  std::string locks(std::string_view account) {
    const auto policy = policies.of(account);
    return fmt::format("{} {} {}", policy->auto_lock, format_duration(policy->lock_time), policy->max_unlocks);
  }
  void override(const std::string& name, std::string_view key, std::string_view value) {
    const AccountSettings* before = mirror.settings(name);
    AccountSettings settings = before ? *before : AccountSettings{};
    REQUIRE(settings.set(key, value).ok());
    mirror.put_settings(name, settings);
  }

  test::FakeClock clock;
  Mirror mirror{clock};
  AccountPolicies policies;
};

TEST_CASE("account policies: how accounts are locked comes from the nearest place too") {
  Rig rig;
  CHECK(rig.locks("joe@example.com") == "true 1h 3");
  rig.override("joe@example.com", "lock_time", "10m");
  rig.override("example.com", "max_unlocks", "0");
  rig.override("default", "auto_lock", "false");
  CHECK(rig.locks("joe@example.com") == "false 10m 0");
  CHECK(rig.locks("ann@example.com") == "false 1h 0");
  CHECK(rig.locks("joe") == "false 1h 3");
}

TEST_CASE("account policies: the nearest place that has a key wins, key by key") {
  Rig rig;
  CHECK(rig.in_force("joe@example.com") ==
        "bytes 1GB/1d; messages 30/1m, 300/1h; on_limit defer; recipients 200/1h");
  CHECK(rig.in_force("ann@example.com") == "bytes 1GB/1d; messages 20/1m; on_limit defer; recipients 200/1h");
  CHECK(rig.in_force("ann@other.example") == "bytes 1GB/1d; messages 10/1m; on_limit defer; recipients 100/1h");
  CHECK(rig.in_force("joe") == "bytes 1GB/1d; messages 10/1m; on_limit defer; recipients 100/1h");
  CHECK(rig.in_force("192.0.2.1") == rig.in_force("joe"));
  CHECK(rig.in_force("joe@sub.example.com") == rig.in_force("joe"));  // a domain covers no others
}

TEST_CASE("account policies: all limits stand in one list") {
  Rig rig;
  const auto policy = rig.policies.of("joe@example.com");
  const Limits wanted{{Meter::messages, 30, Milliseconds(60'000)},
                      {Meter::messages, 300, Milliseconds(3'600'000)},
                      {Meter::recipients, 200, Milliseconds(3'600'000)},
                      {Meter::bytes, 1'000'000'000, Milliseconds(86'400'000)}};
  CHECK(policy->limits == wanted);
  CHECK(policy->on_limit == OnLimit::defer);
}

TEST_CASE("account policies: what the store says of a place goes before the file, nearer places before both") {
  Rig rig;
  rig.override("default", "messages", "11/1m");
  CHECK(rig.in_force("joe") == "bytes 1GB/1d; messages 11/1m; on_limit defer; recipients 100/1h");
  CHECK(rig.in_force("ann@example.com") == "bytes 1GB/1d; messages 20/1m; on_limit defer; recipients 200/1h");

  rig.override("example.com", "messages", "21/1m");
  rig.override("example.com", "on_limit", "hold");
  CHECK(rig.in_force("ann@example.com") == "bytes 1GB/1d; messages 21/1m; on_limit hold; recipients 200/1h");
  CHECK(rig.in_force("joe@example.com") ==
        "bytes 1GB/1d; messages 30/1m, 300/1h; on_limit hold; recipients 200/1h");

  rig.override("joe@example.com", "messages", "none");
  CHECK(rig.in_force("joe@example.com") == "bytes 1GB/1d; messages none; on_limit hold; recipients 200/1h");
  CHECK(rig.policies.of("joe@example.com")->on_limit == OnLimit::hold);
}

TEST_CASE("account policies: an override for an account that the file does not know") {
  Rig rig("[accounts.default]\nmessages = [\"10/1m\"]\nrecipients = []\nbytes = []\n");
  CHECK(rig.in_force("ann") == "bytes none; messages 10/1m; on_limit defer; recipients none");
  rig.override("joe", "messages", "99/1m");
  CHECK(rig.in_force("joe") == "bytes none; messages 99/1m; on_limit defer; recipients none");
  CHECK(rig.in_force("ann") == "bytes none; messages 10/1m; on_limit defer; recipients none");
}

TEST_CASE("account policies: a change in the store is seen at once, and so is its end") {
  Rig rig;
  const std::string before = rig.in_force("joe@example.com");
  rig.override("joe@example.com", "messages", "1/1m");
  CHECK(rig.in_force("joe@example.com") == "bytes 1GB/1d; messages 1/1m; on_limit defer; recipients 200/1h");
  rig.override("joe@example.com", "messages", "2/1m");
  CHECK(rig.in_force("joe@example.com") == "bytes 1GB/1d; messages 2/1m; on_limit defer; recipients 200/1h");
  rig.mirror.remove_settings("joe@example.com");
  CHECK(rig.in_force("joe@example.com") == before);
}

TEST_CASE("account policies: a full load of the mirror is seen at once") {
  Rig rig;
  CHECK(rig.policies.of("joe")->limits.front().maximum == 10);
  Mirror fresh(rig.clock);
  AccountSettings settings;
  REQUIRE(settings.set("messages", "77/1m").ok());
  fresh.put_settings("joe", settings);
  rig.mirror.replace_all(std::move(fresh));
  CHECK(rig.policies.of("joe")->limits.front().maximum == 77);
}

TEST_CASE("account policies: a new configuration is in force at once, for every account") {
  for (const std::string_view override_of : {"", "ann"}) {
    CAPTURE(override_of);
    Rig rig;
    if (!override_of.empty()) rig.override(std::string(override_of), "messages", "5/1m");
    CHECK(rig.policies.of("joe")->limits.front().maximum == 10);
    CHECK(rig.policies.of("joe@example.com")->limits.front().maximum == 30);
    rig.policies.reconfigure(test::config_from("[accounts.default]\nmessages = [\"40/1m\"]\n"));
    CHECK(rig.policies.of("joe")->limits.front().maximum == 40);
    CHECK(rig.policies.of("joe@example.com")->limits.front().maximum == 40);
  }
}

TEST_CASE("account policies: what was handed out stays as it was") {
  Rig rig;
  const auto before = rig.policies.of("joe@example.com");
  CHECK(before == rig.policies.of("joe@example.com"));  // worked out once
  rig.override("joe@example.com", "messages", "1/1m");
  rig.policies.reconfigure(test::config_from(""));
  CHECK(before->limits.front().maximum == 30);
  CHECK(rig.policies.of("joe@example.com")->limits.front().maximum == 1);
}

TEST_CASE("account policies: the places that are asked, nearest first") {
  Rig rig;
  rig.override("joe@example.com", "messages", "1/1m");
  rig.override("default", "messages", "2/1m");
  const auto places = [&rig](std::string_view account) {
    std::string all;
    for (const auto& layer : rig.policies.layers(account)) {
      all.append(all.empty() ? "" : ", ").append(layer.name).append(layer.from_store ? " (store)" : " (file)");
    }
    return all;
  };
  CHECK(places("joe@example.com") ==
        "joe@example.com (store), joe@example.com (file), example.com (file), default (store), default (file)");
  CHECK(places("ann@other.example") == "default (store), default (file)");
  CHECK(places("example.com") == "example.com (file), default (store), default (file)");
  CHECK(places("default") == "default (store), default (file)");
}

TEST_CASE("account policies: every place is asked once, also that of a domain called default") {
  test::FakeClock clock;
  Mirror mirror(clock);
  const AccountPolicies policies(test::config_from(""), mirror);
  CHECK(policies.layers("joe@default").size() == 1);
}

TEST_CASE("account policies: clients have the settings of the networks around them, the longest prefix first") {
  Rig rig("[accounts.\"192.0.2.0/24\"]\nmessages = [\"1/1m\"]\nmax_size = \"1MB\"\n"
          "[accounts.\"192.0.0.0/16\"]\nmessages = [\"2/1m\"]\nbytes = [\"2GB/1d\"]\nmax_size = \"2MB\"\n"
          "[accounts.\"192.0.2.7\"]\nmessages = [\"3/1m\"]\n"
          "[accounts.\"2001:DB8::/32\"]\nmax_size = \"4MB\"\n"
          "[accounts.default]\nbytes = []\n");
  struct Case {
    std::string account;
    int64_t messages, max_size;
    bool bytes;
  };
  const std::vector<Case> cases{
      {"192.0.2.7", 3, 1'000'000, true},   {"192.0.2.8", 1, 1'000'000, true},    {"192.0.2.0/24", 1, 1'000'000, true},
      {"192.0.3.8", 2, 2'000'000, true},   {"198.51.100.1", 60, 0, false},       
      {"2001:db8::/64", 60, 4'000'000, false},
      {"2001:db9::/64", 60, 0, false},     {"joe@192.0.2.8", 60, 0, false},      {"192.0.0.0/8", 60, 0, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.account);
    const auto policy = rig.policies.of(c.account);
    REQUIRE(!policy->limits.empty());
    CHECK(policy->limits[0].maximum == c.messages);
    CHECK(policy->max_size == c.max_size);
    CHECK(!policy->settings.bytes->empty() == c.bytes);
  }
  rig.override("192.0.2.128/25", "max_size", "3MB");
  CHECK(rig.policies.of("192.0.2.8")->max_size == 1'000'000);
  CHECK(rig.policies.of("192.0.2.129")->max_size == 3'000'000);
  CHECK(rig.policies.layers("192.0.2.129").size() == 4);
}

}  // namespace
}  // namespace policyd
