// Limits and account settings: texts both ways, inheritance, and errors that name the key.
#include "shared/limits.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace policyd;
using namespace std::chrono_literals;

TEST_CASE("limits: N/WINDOW, both ways") {
  struct Case {
    Meter meter;
    std::string text;
    int64_t maximum;
    Milliseconds window;
    std::string want;
  };
  const Case cases[] = {
      {Meter::messages, "60/1m", 60, 1min, "60/1m"},
      {Meter::messages, " 60 / 1m ", 60, 1min, "60/1m"},
      {Meter::messages, "60/60s", 60, 1min, "60/1m"},
      {Meter::messages, "0/1m", 0, 1min, "0/1m"},
      {Meter::recipients, "1000/1h", 1000, 1h, "1000/1h"},
      {Meter::recipients, "9007199254740991/366d", 9007199254740991, 366 * 24h,
       "9007199254740991/366d"},
      {Meter::bytes, "2GB/1d", 2'000'000'000, 24h, "2GB/1d"},
      {Meter::bytes, "512/1s", 512, 1s, "512/1s"},
  };
  for (const Case& c : cases) {
    const auto limit = Limit::parse(c.meter, c.text);
    REQUIRE_MESSAGE(limit.ok(), c.text);
    CHECK(*limit == Limit{c.meter, c.maximum, c.window});
    CHECK(limit->to_string() == c.want);
    CHECK(*Limit::parse(c.meter, c.want) == *limit);
  }
}

TEST_CASE("limits: errors say what is wrong and give an example") {
  const std::string count = " is not a whole number from 0 to 9007199254740991";
  const std::string window = "the window is from 1s to 366d";
  struct Case {
    Meter meter;
    std::string text, reason;
  };
  const Case cases[] = {
      {Meter::messages, "", "the window is missing"},
      {Meter::messages, "60", "the window is missing"},
      {Meter::messages, "/1m", "\"\"" + count},
      {Meter::messages, "-1/1m", "\"-1\"" + count},
      {Meter::messages, "-0/1m", "\"-0\"" + count},
      {Meter::messages, "1.5/1m", "\"1.5\"" + count},
      {Meter::messages, "2GB/1m", "\"2GB\"" + count},
      {Meter::messages, "9007199254740992/1m", "\"9007199254740992\"" + count},
      {Meter::messages, "60/999ms", window},
      {Meter::messages, "60/0", window},
      {Meter::messages, "60/367d", window},
      {Meter::messages, "60/m",
       "\"m\" is not a duration: expected a whole number and one of ms, s, m, h, d, w, e.g. 90s or "
       "15m"},
      {Meter::bytes, "2XB/1d",
       "\"2XB\" is not a size: expected a whole number, alone or with one of KB, MB, GB, TB, KiB, "
       "MiB, GiB, TiB, e.g. 512 or 2GB"},
  };
  for (const Case& c : cases) {
    const auto limit = Limit::parse(c.meter, c.text);
    REQUIRE_MESSAGE(!limit.ok(), c.text);
    CHECK(limit.error().message == "\"" + c.text + "\" is not a limit: " + c.reason +
                                       "; expected N/WINDOW, e.g. " +
                                       (c.meter == Meter::bytes ? "2GB/1d" : "60/1m"));
  }
}

TEST_CASE("settings: lists are separated by commas or spaces, and read back") {
  struct Case {
    std::string key, value, want;
  };
  const Case cases[] = {
      {"messages", "60/1m", "60/1m"},
      {"messages", "60/1m, 500/1h", "60/1m, 500/1h"},
      {"messages", "60/1m 500/1h", "60/1m, 500/1h"},
      {"messages", " 60 / 1m,500 /1h , 9/ 1d,", "60/1m, 500/1h, 9/1d"},
      {"messages", "0/1m", "0/1m"},
      {"messages", "none", "none"},
      {"messages", " None ", "none"},
      {"messages", "", "none"},
      {"recipients", "1000/1h", "1000/1h"},
      {"bytes", "2000MB/1d 1KiB/1s", "2GB/1d, 1KiB/1s"},
      {"on_limit", "Reject ", "reject"},
      {"on_limit", "hold", "hold"},
      {"max_size", "25000KB", "25MB"},
      {"max_size", "0", "none"},
      {"max_recipients_per_message", " 100 ", "100"},
      {"max_recipients_per_message", "none", "none"},
      {"senders", "own  Example.com", "own, example.com"},
      {"senders", "none", "none"},
      {"sender_must_exist", "Yes", "true"},
      {"block_outgoing_spam", "false", "false"},
      {"auto_lock", " False", "false"},
      {"auto_lock", "true", "true"},
      {"lock_time", "60m", "1h"},
      {"max_unlocks", "0", "0"},
      {"max_unlocks", "1000 ", "1000"},
  };
  for (const Case& c : cases) {
    AccountSettings settings;
    REQUIRE_MESSAGE(settings.set(c.key, c.value).ok(), c.value);
    CHECK(settings.to_map() == std::map<std::string, std::string>{{c.key, c.want}});
    AccountSettings again;
    REQUIRE(again.set(c.key, c.want).ok());
    CHECK(again == settings);
  }
}

const std::string kKeys =
    "messages, recipients, bytes, on_limit, distinct_recipients, client_networks, invalid_recipients, spam, "
    "limit_hits, max_size, max_recipients_per_message, senders, sender_must_exist, block_outgoing_spam, auto_lock, "
    "lock_time, max_unlocks";

TEST_CASE("settings: an error names the key and an example, and changes nothing") {
  struct Case {
    std::string key, value, want;
  };
  const Case cases[] = {
      {"mesages", "60/1m",
       "\"mesages\" is not an account setting; expected one of " + kKeys},
      {"", "",
       "\"\" is not an account setting; expected one of " + kKeys},
      {"messages", "60",
       "messages: \"60\" is not a limit: the window is missing; expected N/WINDOW, e.g. 60/1m"},
      {"recipients", "5/1h, x",
       "recipients: \"x\" is not a limit: the window is missing; expected N/WINDOW, e.g. 1000/1h"},
      {"messages", "60/1m, none",
       "messages: \"none\" is not a limit: the window is missing; expected N/WINDOW, e.g. 60/1m"},
      {"messages", ",",
       "messages: \",\" is not a limit: the list is empty; \"none\" is no limit; expected "
       "N/WINDOW, "
       "e.g. 60/1m"},
      {"messages", "60/1m, 70/60s",
       "messages: 60/1m and 70/1m have the same window; give one of them"},
      {"messages", "60/1m 60/1m",
       "messages: 60/1m and 60/1m have the same window; give one of them"},
      {"on_limit", "drop",
       "on_limit: \"drop\" is none of defer, reject, hold; expected e.g. defer"},
      {"on_limit", "", "on_limit: \"\" is none of defer, reject, hold; expected e.g. defer"},
      {"max_size", "25XB",
       "max_size: \"25XB\" is not a size: expected a whole number, alone or with one of KB, MB, GB, TB, KiB, MiB, GiB, "
       "TiB, e.g. 512 or 2GB"},
      {"max_recipients_per_message", "-1",
       "max_recipients_per_message: \"-1\" is not a whole number from 0 to 1000000000; expected e.g. 100, or none"},
      {"senders", "joe",
       "senders: \"joe\" is none: its domain is not fully qualified; expected own, an address or a domain, e.g. own, "
       "example.com"},
      {"senders", ",", "senders: \",\" is an empty list; expected own, an address or a domain, e.g. own, example.com"},
      {"sender_must_exist", "perhaps", "sender_must_exist: \"perhaps\" is none of true, false; expected e.g. true"},
      {"auto_lock", "maybe", "auto_lock: \"maybe\" is none of true, false; expected e.g. true"},
      {"lock_time", "an hour", "lock_time: \"an hour\" is not a duration: expected a whole number and one of "
                               "ms, s, m, h, d, w, e.g. 90s or 15m"},
      {"lock_time", "999ms", "lock_time: \"999ms\" is out of range; from 1s to 366d"},
      {"lock_time", "367d", "lock_time: \"367d\" is out of range; from 1s to 366d"},
      {"max_unlocks", "-1", "max_unlocks: \"-1\" is not a whole number from 0 to 1000"},
      {"max_unlocks", "1001", "max_unlocks: \"1001\" is not a whole number from 0 to 1000"},
      {"max_unlocks", "", "max_unlocks: \"\" is not a whole number from 0 to 1000"},
  };
  for (const Case& c : cases) {
    AccountSettings settings;
    REQUIRE(settings.set("messages", "1/1s").ok());
    const AccountSettings before = settings;
    const auto done = settings.set(c.key, c.value);
    REQUIRE_MESSAGE(!done.ok(), c.value);
    CHECK(done.error().message == c.want);
    CHECK(settings == before);
  }
}

TEST_CASE("settings: a list without end is refused") {
  AccountSettings settings;
  const auto done = settings.set("messages", std::string(1001, 'x'));
  REQUIRE(!done.ok());
  CHECK(done.error().message == "messages: \"" + std::string(256, 'x') +
                                    "\"... is not a limit: the list is longer than 1000 octets; "
                                    "expected N/WINDOW, e.g. 60/1m");
}

TEST_CASE("settings: what is not set is inherited, what is set to none is not") {
  AccountSettings account, outer;
  REQUIRE(account.set("messages", "none").ok());
  REQUIRE(account.set("bytes", "1GB/1d").ok());
  REQUIRE(outer.set("messages", "60/1m").ok());
  REQUIRE(outer.set("recipients", "5/1h").ok());
  REQUIRE(outer.set("on_limit", "hold").ok());
  account.inherit(outer);
  CHECK(account.to_map() == std::map<std::string, std::string>{{"messages", "none"},
                                                               {"recipients", "5/1h"},
                                                               {"bytes", "1GB/1d"},
                                                               {"on_limit", "hold"}});
}

TEST_CASE("settings: every row can be set to what it takes") {
  CHECK(setting_rows().size() == 17);
  for (const SettingRow& row : setting_rows()) {
    AccountSettings settings;
    const std::string_view example = row.takes.substr(0, std::min(row.takes.find(" or "), row.takes.find(", reject")));
    CHECK(settings.set(row.key, example).ok());
    CHECK(settings.to_map().contains(std::string(row.key)));
    CHECK(!row.summary.empty());
  }
}

TEST_CASE("limits: the names, and the numbers that stand in stored counters") {
  CHECK(meter_name(Meter::messages) == "messages");
  CHECK(meter_name(Meter::recipients) == "recipients");
  CHECK(meter_name(Meter::bytes) == "bytes");
  CHECK(static_cast<int>(Meter::messages) == 1);
  CHECK(static_cast<int>(Meter::recipients) == 2);
  CHECK(static_cast<int>(Meter::bytes) == 3);
  struct Case {
    Meter meter;
    std::string name;
    int number;
    bool elements;
  };
  for (const Case& c : {Case{Meter::distinct_recipients, "distinct_recipients", 4, true},
                        Case{Meter::client_networks, "client_networks", 5, true},
                        Case{Meter::invalid_recipients, "invalid_recipients", 6, false},
                        Case{Meter::spam, "spam", 7, false},
                        Case{Meter::limit_hits, "limit_hits", 8, false}}) {
    CHECK(meter_name(c.meter) == c.name);
    CHECK(static_cast<int>(c.meter) == c.number);
    CHECK(is_sign(c.meter));
    CHECK(counts_elements(c.meter) == c.elements);
  }
  CHECK_FALSE(is_sign(Meter::bytes));
  for (const OnLimit action : {OnLimit::defer, OnLimit::reject, OnLimit::hold}) {
    CHECK(parse_on_limit(on_limit_name(action)) == action);
  }
  CHECK(!parse_on_limit("Defer"));
}
