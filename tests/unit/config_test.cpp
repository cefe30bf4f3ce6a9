// The configuration as a whole: conf/policyd.toml against the schema, the folders of bad
// configurations, what is shown, what a reload cannot change.
#include "shared/config.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "policyd/checks/check.h"
#include "shared/config_schema.h"
#include "tests/support/test_config.h"

using namespace policyd;
using test::error_lines;

namespace {

const std::filesystem::path kSource = POLICYD_SOURCE_DIR;

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Checks that do not depend on the real ones.
const std::vector<CheckSpec> kSpecs = {
    {"name", "a check", {{"missing", "no name", 10, 0}, {"wrong", "a wrong name", 5, 0}}},
    {"size", "another", {{"large", "too large", 1, 2}}, ZoneKind::none, "size_header"},
    {"lists", "of addresses", {{"listed", "on a list", 10, 0}}, ZoneKind::addresses},
    {"names", "of names", {{"listed", "on a list", 7, 1}}, ZoneKind::names},
    {"tags", "of bounces", {{"missing", "no tag", 9, 0}}, ZoneKind::none, {}, false, true},
};

Config config_of(std::string_view toml, std::span<const CheckSpec> checks = kSpecs) {
  auto parsed = parse_config(toml, "policyd.toml", checks);
  if (const auto* errors = std::get_if<ConfigErrors>(&parsed)) {
    for (const std::string& message : errors->messages) MESSAGE(message);
    FAIL("not a configuration");
  }
  return std::get<Config>(std::move(parsed));
}

std::string errors_of(std::string_view toml) {
  return error_lines(parse_config(toml, "policyd.toml", kSpecs));
}

// "[server] deadline" for every key of a document, in its order.
std::vector<std::string> keys_of(const std::string& toml) {
  std::vector<std::string> keys;
  std::string section;
  std::istringstream lines(toml);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '[') {
      section = line;
    } else if (const size_t equals = line.find(" = "); equals != std::string::npos) {
      keys.push_back(section + " " + line.substr(0, equals));
    }
  }
  return keys;
}

}  // namespace

TEST_CASE("config: conf/policyd.toml has every key, in the schema's order, at its default") {
  const auto checks = check_specs();
  const std::string file = read(kSource / "conf" / "policyd.toml");
  const std::string defaults = show_config(config_of("", checks), checks);
  CHECK(show_config(config_of(file, checks), checks) == defaults);
  CHECK(keys_of(file) == keys_of(defaults));
}

TEST_CASE("config: conf/policyd.toml says something about every key before it comes") {
  std::string text = read(kSource / "conf" / "policyd.toml");
  bool commented = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) commented = true;
    if (line.empty()) commented = false;
    const bool is_key = line.find(" = ") != std::string::npos && !line.starts_with('#');
    const bool self_explaining = line.starts_with("incoming") || line.starts_with("outgoing") ||
                                 line.starts_with("block =") || line.starts_with("dry_run") ||
                                 line.starts_with("defer") || line.starts_with("hold") ||
                                 line.starts_with("reject");
    if (is_key && !self_explaining) CHECK_MESSAGE(commented, line);
  }
}

TEST_CASE("config: every bad configuration yields exactly the errors that its folder expects") {
  size_t folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "tests" / "bad_configs")) {
    if (!entry.is_directory()) continue;
    ++folders;
    CAPTURE(entry.path().filename().string());
    const auto parsed =
        parse_config(read(entry.path() / "policyd.toml"), "policyd.toml", check_specs());
    const std::string errors = error_lines(parsed);
    CHECK(errors == read(entry.path() / "expected"));
    CHECK(errors.find("secret") == std::string::npos);
  }
  CHECK(folders >= 15);
}

TEST_CASE("config: an empty file is the defaults") {
  const Config config = config_of("");
  REQUIRE(config.server.listen.size() == 1);
  CHECK(config.server.listen[0].to_string() == "inet:127.0.0.1:10031");
  CHECK(config.server.deadline == Milliseconds(3000));
  CHECK(config.server.socket_mode == 0666);
  CHECK(config.admin.listen.at(0).path == "/run/policyd/admin.sock");
  CHECK(config.admin.socket_mode == 0660);
  CHECK(config.store.url == StoreUrl{});
  CHECK(config.store.prefix == "policyd:");
  CHECK(config.store.timeout == Milliseconds(100));
  CHECK(config.traffic.networks.size() == 2);
  CHECK(config.score.thresholds[0].defer == 20);
  CHECK(config.score.thresholds[0].reject == 30);
  CHECK(config.score.thresholds[1].defer == 0);
  CHECK(config.score.thresholds[1].reject == 30);
  CHECK(config.blocks.reply.code == 550);
  REQUIRE(config.checks.contains("name"));
  CHECK(config.checks.find("name")->second.weights[0] == std::vector<int>{10, 5});
  CHECK(config.checks.find("name")->second.applies(Direction::incoming));
  CHECK_FALSE(config.checks.find("name")->second.applies(Direction::outgoing));
  REQUIRE(config.accounts.contains("default"));
  const AccountSettings& common = config.accounts.find("default")->second;
  CHECK(common.to_map() == std::map<std::string, std::string>{{"messages", "60/1m, 500/1h"},
                                                              {"recipients", "1000/1h"},
                                                              {"bytes", "2GB/1d"},
                                                              {"on_limit", "defer"},
                                                              {"distinct_recipients", "500/1d"},
                                                              {"client_networks", "none"},
                                                              {"invalid_recipients", "50/1d"},
                                                              {"spam", "none"},
                                                              {"limit_hits", "none"},
                                                              {"max_size", "none"},
                                                              {"max_recipients_per_message", "none"},
                                                              {"senders", "none"},
                                                              {"sender_must_exist", "false"},
                                                              {"block_outgoing_spam", "true"},
                                                              {"auto_lock", "true"},
                                                              {"lock_time", "1h"},
                                                              {"max_unlocks", "3"}});
}

TEST_CASE("config: a check's weights") {
  struct Case {
    std::string_view toml;
    std::vector<int> incoming;
    std::vector<int> outgoing;
  };
  const Case cases[] = {
      {"[checks.name]\nincoming = 7", {7, 7}, {0, 0}},
      {"[checks.name]\nincoming = { wrong = -3 }\noutgoing = 1000", {10, -3}, {1000, 1000}},
      {"[checks.name]\nincoming.missing = 0", {0, 5}, {0, 0}},
      {"[checks.name]\nincoming = {}", {10, 5}, {0, 0}},
      {"checks.name = { incoming = 0, block = true }", {0, 0}, {0, 0}},
  };
  for (const Case& each : cases) {
    CAPTURE(each.toml);
    const Config config = config_of(each.toml);
    CHECK(config.checks.find("name")->second.weights[0] == each.incoming);
    CHECK(config.checks.find("name")->second.weights[1] == each.outgoing);
    CHECK(config.checks.find("size")->second.weights[1] == std::vector<int>{2});
  }
}

TEST_CASE("config: a single number reaches the outcomes that speak against the mail; 0, and a name, reach every one") {
  const std::vector<CheckSpec> specs = {
      {"both", "of two kinds", {{"bad", "bad", 10, 1}, {"good", "good", -2, 0, true}, {"odd", "odd", 0, 0, true}}}};
  struct Case {
    std::string_view toml;
    std::vector<int> incoming, outgoing;
  };
  const Case cases[] = {
      {"[checks.both]\nincoming = 7", {7, -2, 0}, {1, 0, 0}},
      {"[checks.both]\noutgoing = -7", {10, -2, 0}, {-7, 0, 0}},
      {"[checks.both]\nincoming = 0\noutgoing = 0", {0, 0, 0}, {0, 0, 0}},
      {"[checks.both]\nincoming = { odd = 3, good = 1 }", {10, 1, 3}, {1, 0, 0}},
  };
  for (const Case& each : cases) {
    CAPTURE(each.toml);
    const Config config = config_of(each.toml, specs);
    CHECK(config.checks.find("both")->second.weights[0] == each.incoming);
    CHECK(config.checks.find("both")->second.weights[1] == each.outgoing);
    const Config again = config_of(show_config(config, specs), specs);
    CHECK(again.checks.find("both")->second.weights == config.checks.find("both")->second.weights);
  }
}

TEST_CASE("config: zones take what they do not say from their check, wherever it stands") {
  const Config config = config_of(
      "[[checks.lists.zones]]\nzone = \"One.example.\"\n"
      "[[checks.lists.zones]]\nzone = \"one.example\"\nanswers = \"127.0.0.[2..4]\"\nlabel = \"One\"\nincoming = -5\n"
      "[checks.lists]\nincoming = 3\noutgoing = { listed = 1 }\n"
      "[checks.names]\nzones = [{ zone = \"two.example\", names = [\"client\"], incoming = 0, outgoing = 0 }]\n");
  const CheckSettings& lists = config.checks.find("lists")->second;
  REQUIRE(lists.zones.size() == 2);
  CHECK(lists.zones[0].zone == "one.example");
  CHECK(lists.zones[0].answers == AnswerFilter());
  CHECK(lists.zones[0].weights == std::array{3, 1});
  CHECK(lists.zones[1].answers.to_string() == "127.0.0.[2..4]");
  CHECK(lists.zones[1].label == "One");
  CHECK(lists.zones[1].weights == std::array{-5, 1});
  CHECK(lists.applies(Direction::outgoing));
  const CheckSettings& names = config.checks.find("names")->second;
  CHECK(names.zones.at(0).names == std::vector{ListedName::client});
  CHECK_FALSE(names.applies(Direction::incoming));  // the weights of the check are not its own
  CHECK_FALSE(config_of("").checks.find("lists")->second.applies(Direction::incoming));
}

TEST_CASE("config: whom checks are not applied to") {
  const Config config = config_of(
      "[[allow]]\nclients = [\"192.0.2.1\", \"MX.example.com\", \".example.org.\"]\n"
      "recipients = [\"Postmaster\", \"Abuse@Example.com\"]\nsender_domains = [\"Example.net\"]\nskip = [\"size\"]\n"
      "[[allow]]\nclients = [\"2001:db8::/32\"]\n");
  REQUIRE(config.allow.size() == 2);
  const AllowEntry& entry = config.allow[0];
  REQUIRE(entry.clients.size() == 3);
  CHECK(entry.clients[0].network == *Network::parse("192.0.2.1"));
  CHECK(entry.clients[1].name == "mx.example.com");
  CHECK(entry.clients[2].name == "example.org");
  CHECK(entry.recipients == std::vector<std::string>{"postmaster", "abuse@example.com"});
  CHECK(entry.sender_domains == std::vector<std::string>{"example.net"});
  CHECK(entry.skip == std::vector<std::string>{"size"});
  CHECK(config.allow[1].skip == std::vector<std::string>{"all"});
  CHECK(config_of("").allow.empty());
}

TEST_CASE("config: DNS servers") {
  const Config config = config_of(
      "dns.servers = [\"127.0.0.1:5353\", \"192.0.2.53:53\", \"2001:db8::53\", \"[2001:DB8::54]:53\", \"[::1]:5353\"]");
  CHECK(config.dns.servers == std::vector<std::string>{"127.0.0.1:5353", "192.0.2.53", "2001:db8::53", "2001:db8::54",
                                                       "[::1]:5353"});
  CHECK(config.dns.timeout == Milliseconds(1000));
  CHECK(config.dns.cache == 100000);
}

TEST_CASE("config: unknown checks and outcomes") {
  CHECK(errors_of("[checks.spf]\n") ==
        "policyd.toml:1:9: checks.spf: unknown key; expected \"name\", \"size\", \"lists\", "
        "\"names\" or \"tags\"\n");
  CHECK(errors_of("[checks.name]\nincoming = { fail = 1, wrnog = 2 }\noutgoing = 1.5") ==
        "policyd.toml:2:14: checks.name.incoming.fail: unknown key; expected \"missing\" or "
        "\"wrong\"\n"
        "policyd.toml:2:24: checks.name.incoming.wrnog: unknown key; did you mean \"wrong\"?\n"
        "policyd.toml:3:12: checks.name.outgoing: expected a weight such as 10, or one for each "
        "outcome such as "
        "{ missing = 10 }, found a number with a fraction\n");
}

TEST_CASE("config: a key of [accounts.default] replaces the default of that key alone") {
  const Config config = config_of(
      "[accounts.default]\nmessages = []\nbytes = [\"1GB/1h\", \"5GB/1d\"]\n"
      "[accounts.\"Joe@Example.com\"]\nmessages = [\"5/1s\"]\non_limit = \"reject\"\n");
  const AccountSettings& common = config.accounts.find("default")->second;
  REQUIRE(common.messages);
  CHECK(common.messages->empty());
  CHECK(common.bytes->size() == 2);
  CHECK(common.recipients->at(0).to_string() == "1000/1h");
  REQUIRE(config.accounts.contains("joe@example.com"));
  const AccountSettings& joe = config.accounts.find("joe@example.com")->second;
  CHECK(joe.messages->at(0).to_string() == "5/1s");
  CHECK_FALSE(joe.recipients);
  CHECK(joe.on_limit == OnLimit::reject);
}

TEST_CASE("config: what is shown can be read back") {
  const std::string_view documents[] = {
      "",
      "[server]\nlisten = [\"unix:/run/p\", \"inet:[::1]:0\", \"systemd:policyd\"]\ndeadline = "
      "\"30s\"\nnode = \"mx1\"\n"
      "[admin]\nlisten = []\nsocket_mode = \"0600\"\n"
      "[store]\nurl = \"redis+unix:///run/redis.sock?db=3\"\nprefix = \"p:\"\ntimeout = \"5s\"\n"
      "[traffic]\nnetworks = []\nown_names = [\"MX1.example.com.\", "
      "\"mx2\"]\nown_addresses = [\"192.0.2.7\"]\n"
      "[score]\nheader = \"X-Score\"\ntext = 'He said \"{reasons}\" \\ {score}'\nincoming.hold = "
      "25\noutgoing.defer = 10000\n"
      "[blocks]\nreply = \"450 4.7.1 Later\"\n[limits]\ntext = \"Slow down\"\n"
      "[log]\nlevel = \"debug\"\ntarget = \"/var/log/policyd.log\"\nverdicts = \"none\"\n"
      "[checks.name]\nincoming = { missing = 1, wrong = 2 }\noutgoing = -7\nblock = "
      "true\n[checks.size]\ndry_run = true\nsize_header = true\n"
      "[dns]\nservers = [\"127.0.0.1:5353\", \"[::1]:53\"]\ntimeout = \"50ms\"\ncache = 0\n"
      "[checks.lists]\nincoming = 3\n[[checks.lists.zones]]\nzone = \"BL.example.\"\n"
      "[[checks.lists.zones]]\nzone = \"bl.example\"\nanswers = \"127.0.0.[2..11;30]\"\nlabel = "
      "'A \"list\"'\noutgoing = -1000\n"
      "[[checks.names.zones]]\nzone = \"bl.example\"\nnames = [\"ehlo\"]\n"
      "[[checks.tags.domains]]\ndomain = \"Example.com.\"\nkeys = [\"2:a:b\", \"1:x\"]\nlifetime = \"2w\"\n"
      "[[checks.tags.domains]]\ndomain = \"example.org\"\nkeys = [\"0: \"]\n"
      "[[allow]]\nclients = [\"192.0.2.0/24\", \".Example.com\"]\nrecipients = [\"Postmaster\"]\n"
      "[[allow]]\nsender_domains = [\"example.org\"]\nskip = [\"lists\", \"name\"]\n"
      "[accounts.default]\nmessages = []\n[accounts.\"example.com\"]\nbytes = "
      "[\"1MiB/90s\"]\n[accounts.\"a b@c\"]\n",
  };
  for (std::string_view document : documents) {
    const Config config = config_of(document);
    const std::string shown = show_config(config, kSpecs);
    const Config again = config_of(shown);
    CHECK(show_config(again, kSpecs) == shown);
    for (const KeyRow& row : key_rows()) {
      CAPTURE(row.key);
      CHECK(row.same(config, again));
    }
    CHECK(again.accounts == config.accounts);
    CHECK(again.allow == config.allow);
    for (const auto& [name, settings] : config.checks) {
      CHECK(again.checks.find(name)->second.zones == settings.zones);
    }
  }
}

TEST_CASE("config: a check of domains with keys is applied for them alone, and no key is shown") {
  CHECK_FALSE(config_of("").checks.find("tags")->second.applies(Direction::incoming));
  const Config config = config_of("[[checks.tags.domains]]\ndomain = \"A.example\"\nkeys = [\"1:secret\", \"2:x\"]\n");
  const CheckSettings& settings = config.checks.find("tags")->second;
  CHECK(settings.applies(Direction::incoming));
  CHECK_FALSE(settings.applies(Direction::outgoing));
  REQUIRE(settings.batv_domains.size() == 1);
  CHECK(settings.batv_domains[0] == BatvDomain{"a.example", {{'1', "secret"}, {'2', "x"}}, std::chrono::days{7}});
  const std::string shown = show_config(config, kSpecs);
  const std::string_view wanted =
      "[[checks.tags.domains]]\ndomain = \"a.example\"\nkeys = [\"1:***\", \"2:***\"]\nlifetime = \"1w\"\n";
  CHECK(shown.find(wanted) != std::string::npos);
}

TEST_CASE("config: a password is not shown") {
  const std::string shown = show_config(config_of("store.url = \"redis://joe:secret@db\""), kSpecs);
  CHECK(shown.find("secret") == std::string::npos);
  CHECK(shown.find("url = \"redis://joe:***@db\"") != std::string::npos);
}

TEST_CASE("config: what needs a restart") {
  struct Case {
    std::string_view toml;
    std::vector<std::string> keys;
  };
  const Case cases[] = {
      {"", {}},
      {"server.deadline = \"4s\"\nscore.incoming.defer = 1\naccounts.default.messages = []", {}},
      {"server.listen = [\"inet:127.0.0.1:1\"]\nstore.prefix = \"x:\"",
       {"server.listen", "store.prefix"}},
      {"store.url = \"redis://joe:other@db\"", {"store.url"}},
      {"log.target = \"syslog\"\nlog.level = \"debug\"", {"log.target"}},
  };
  for (const Case& each : cases) {
    CAPTURE(each.toml);
    CHECK(needs_restart(config_of(""), config_of(each.toml)) == each.keys);
  }
  const Config one = config_of("store.url = \"redis://joe:secret@db\"");
  const Config other = config_of("store.url = \"redis://joe:secret2@db\"");
  CHECK(needs_restart(one, other) == std::vector<std::string>{"store.url"});
}

TEST_CASE("config: a check that writes a header field is applied to incoming mail for that alone") {
  const auto size_of = [](std::string_view toml) { return config_of(toml).checks.at("size"); };
  CHECK_FALSE(size_of("").header);
  const std::string on = "[checks.size]\nincoming = 0\noutgoing = 0\nsize_header = true\n";
  CHECK(size_of(on).applies(Direction::incoming));
  CHECK_FALSE(size_of(on).applies(Direction::outgoing));
  CHECK_FALSE(size_of("[checks.size]\nincoming = 0\n").applies(Direction::incoming));
  CHECK(errors_of("[checks.size]\nsize_header = 1\nsize_heater = true\n[checks.name]\nsize_header = true\n") ==
        "policyd.toml:2:15: checks.size.size_header: expected true or false, found the number 1\n"
        "policyd.toml:3:1: checks.size.size_heater: unknown key; did you mean \"size_header\"?\n"
        "policyd.toml:5:1: checks.name.size_header: unknown key; expected \"incoming\", \"outgoing\", \"block\" or "
        "\"dry_run\"\n");
}
