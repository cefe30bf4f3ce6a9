// The documentation against the tables: README.md, policyd.toml(5) and policyd-redis(7) name every key, check and
// setting with its default. Where a row has changed, the failure shows the line that is wanted.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "policyd/checks/check.h"
#include "shared/config_schema.h"
#include "shared/config_tables.h"
#include "shared/limits.h"

using namespace policyd;

namespace {

std::string text_of(const std::string& file) {
  std::ifstream in(std::string(POLICYD_SOURCE_DIR) + "/" + file);
  REQUIRE_MESSAGE(in.good(), file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void check_line(const std::string& text, const std::string& line) {
  CHECK_MESSAGE(("\n" + text).find("\n" + line + "\n") != std::string::npos, line);
}

// In mdoc(7) a word that begins with a double quote would be quoted itself.
std::string as_mdoc(std::string_view toml) {
  std::string out;
  for (const char c : toml) {
    if (c == '"') {
      out += "\\(dq";
    } else {
      out += c;
    }
  }
  return out;
}

std::string last_part(std::string_view key) { return std::string(key.substr(key.rfind('.') + 1)); }

}  // namespace

TEST_CASE("docs: policyd.toml(5) has every key, its default, and whether it needs a restart") {
  const std::string page = text_of("man/policyd.toml.5");
  for (const KeyRow& row : key_rows()) {
    if (row.key.starts_with("score.incoming.") || row.key.starts_with("score.outgoing.")) continue;
    check_line(page, ".It Cm " + last_part(row.key) + " No = Li " + as_mdoc(row.initial) +
                         (row.reload == Reload::needs_restart ? " Pq restart" : ""));
  }
  for (const AccountDefault& row : account_defaults()) {
    check_line(page, ".It Cm " + std::string(row.key) + " No = Li " + as_mdoc(row.initial));
  }
}

TEST_CASE("docs: policyd.toml(5) and conf/policyd.toml have every key of zones, domains and [[allow]]") {
  const std::string page = text_of("man/policyd.toml.5");
  const std::string conf = text_of("conf/policyd.toml");
  const auto check_key = [&](std::string_view key, std::string_view initial) {
    if (key == "incoming" || key == "outgoing") return;  // stand together
    check_line(page, ".It Cm " + std::string(key) + (initial.empty() ? "" : " No = Li " + as_mdoc(initial)));
    const std::string wanted = "#   " + std::string(key) + " = ";
    CHECK_MESSAGE(conf.find("\n" + wanted) != std::string::npos, wanted);
  };
  for (const auto& row : zone_rows(ZoneKind::names)) check_key(row.key, row.initial);
  for (const auto& row : batv_domain_rows()) check_key(row.key, row.initial);
  const auto checks = check_specs();
  for (const auto& row : allow_rows(checks)) check_key(row.key, row.initial);
}

TEST_CASE("docs: policyd.toml(5) has every threshold") {
  const std::string page = text_of("man/policyd.toml.5");
  const auto initial_of = [](const std::string& key) -> std::string {
    for (const KeyRow& row : key_rows()) {
      if (row.key == key) return std::string(row.initial);
    }
    return "no such key";
  };
  for (const std::string name : {"defer", "hold", "reject"}) {
    check_line(page, ".It Cm " + name + " Ta " + initial_of("score.incoming." + name) + " Ta " +
                         initial_of("score.outgoing." + name));
  }
}

TEST_CASE("docs: README.md and policyd.toml(5) have every outcome of every check") {
  const std::string page = text_of("man/policyd.toml.5");
  const std::string readme = text_of("README.md");
  for (const CheckSpec& spec : check_specs()) {
    check_line(page, ".It Cm " + std::string(spec.name));
    for (const CheckFlag& flag : check_flags(spec)) {
      check_line(page, ".It Cm " + std::string(flag.key) + " No = Li false");
    }
    for (const OutcomeSpec& outcome : spec.outcomes) {
      const std::string name(outcome.name);
      const std::string reason(outcome.reason);
      const std::string incoming = std::to_string(outcome.incoming);
      const std::string outgoing = std::to_string(outcome.outgoing);
      check_line(page, ".It Cm " + name + " Ta " + incoming + " Ta " + outgoing + " Ta " + reason);
      check_line(readme, "| `" + std::string(spec.name) + "` | `" + name + "`: " + reason + " | " + incoming + " | " +
                             outgoing + " |");
    }
  }
}

TEST_CASE("docs: policyd.toml(5) and conf/policyd.toml have every outcome that a single number does not reach") {
  const std::string page = text_of("man/policyd.toml.5");
  const std::string conf = text_of("conf/policyd.toml");
  for (const CheckSpec& spec : check_specs()) {
    std::string in_page, in_conf;
    size_t left = static_cast<size_t>(std::count_if(spec.outcomes.begin(), spec.outcomes.end(),
                                                    [](const OutcomeSpec& outcome) { return outcome.by_name_only; }));
    for (const OutcomeSpec& outcome : spec.outcomes) {
      if (!outcome.by_name_only) continue;
      const std::string name(outcome.name);
      in_page += (in_page.empty() ? ".Cm " : " , ") + name;
      in_conf += (in_conf.empty() ? std::string(spec.name) + "'s `" : left == 1 ? " and `" : ", `") + name + "`";
      --left;
    }
    if (in_page.empty()) continue;
    CHECK_MESSAGE(page.find("\n" + in_page + " ") != std::string::npos, in_page);
    CHECK_MESSAGE(conf.find(in_conf) != std::string::npos, in_conf);
  }
}

TEST_CASE("docs: policyd.toml(5), policyd-redis(7), policyctl(1) and the completion have every account setting") {
  for (const char* file : {"man/policyd.toml.5", "man/policyd-redis.7", "man/policyctl.1",
                           "contrib/completions/policyctl.bash"}) {
    const std::string page = text_of(file);
    for (const SettingRow& row : setting_rows()) {
      const std::string wanted = std::string(file) + ": " + std::string(row.key);
      CHECK_MESSAGE(page.find(row.key) != std::string::npos, wanted);
    }
  }
}
