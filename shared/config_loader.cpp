// Reads policyd.toml: file -> TOML -> tree -> Config; see config.h.
//
// The only user of toml++. Its exceptions end here: what it cannot parse is one problem, for it
// stops there. The defaults are read first, by the same way, and the file over them; a default that
// does not pass its own check is a bug and aborts.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <toml++/toml.h>

#include "shared/config.h"
#include "shared/config_keys.h"
#include "shared/config_reader.h"
#include "shared/config_schema.h"
#include "shared/config_tree.h"

namespace policyd {
namespace {

constexpr size_t kLargestFile = 16 * 1024 * 1024;
constexpr int kDeepestTable = 8;  // the schema looks no deeper

ConfigPosition position_of(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

ConfigNode::Kind kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return ConfigNode::Kind::string;
    case toml::node_type::integer:
      return ConfigNode::Kind::integer;
    case toml::node_type::boolean:
      return ConfigNode::Kind::boolean;
    case toml::node_type::floating_point:
      return ConfigNode::Kind::real;
    case toml::node_type::array:
      return ConfigNode::Kind::array;
    case toml::node_type::table:
      return ConfigNode::Kind::table;
    default:
      return ConfigNode::Kind::time;
  }
}

ConfigNode to_tree(const toml::node& node, int depth = 0) {
  ConfigNode out;
  out.kind = kind_of(node);
  out.at = position_of(node.source());
  if (const auto* text = node.as_string()) out.text = text->get();
  if (const auto* integer = node.as_integer()) out.integer = integer->get();
  if (const auto* boolean = node.as_boolean()) out.boolean = boolean->get();
  if (depth >= kDeepestTable) return out;
  if (const auto* array = node.as_array()) {
    for (const toml::node& item : *array) out.items.push_back(to_tree(item, depth + 1));
  }
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) {
      out.members.push_back(
          {std::string(key.str()), position_of(key.source()), to_tree(value, depth + 1)});
    }
  }
  return out;
}

// What most often lies behind one of toml++'s messages.
struct SyntaxHint {
  std::string_view says;
  std::string_view hint;
};
constexpr std::string_view kQuotes = "; texts, durations and sizes stand in quotes, as in \"90s\"";
constexpr std::array<SyntaxHint, 5> kSyntaxHints = {{
    {"integer: expected digit", kQuotes},
    {"floating-point: expected", kQuotes},
    {"boolean: expected", kQuotes},
    {"expected value", kQuotes},
    {"string: unescaped control characters", "; is the closing quote missing?"},
}};

// toml++'s words, without those that every one of them begins with.
std::string explain(const toml::parse_error& error) {
  constexpr std::string_view kPreamble = "Error while parsing ";
  std::string reason(error.description());
  if (reason.starts_with(kPreamble)) reason.erase(0, kPreamble.size());
  for (const SyntaxHint& row : kSyntaxHints) {
    if (reason.find(row.says) != std::string::npos) return reason.append(row.hint);
  }
  return reason;
}

std::variant<ConfigNode, ConfigProblem> parse_toml(std::string_view toml) {
  if (const auto at = overlong_key(toml)) {
    return ConfigProblem{*at, "syntax",
                         fmt::format("a key of more than {} parts; no key of policyd has that many", kMostKeyParts)};
  }
  try {
    const toml::table table = toml::parse(toml);
    return to_tree(table);
  } catch (const toml::parse_error& error) {
    return ConfigProblem{position_of(error.source()), "syntax", explain(error)};
  }
}

std::string default_document() {
  std::string toml;
  for (const KeyRow& row : key_rows()) toml += fmt::format("{} = {}\n", row.key, row.initial);
  for (const AccountDefault& row : account_defaults()) {
    toml += fmt::format("accounts.default.{} = {}\n", row.key, row.initial);
  }
  return toml;
}

CheckSettings default_settings(const CheckSpec& spec) {
  CheckSettings settings;
  settings.zone_kind = spec.zones;
  settings.by_domain = spec.batv_domains;
  for (const OutcomeSpec& outcome : spec.outcomes) {
    settings.weights[static_cast<size_t>(Direction::incoming)].push_back(outcome.incoming);
    settings.weights[static_cast<size_t>(Direction::outgoing)].push_back(outcome.outgoing);
  }
  return settings;
}

[[noreturn]] void default_is_wrong(const ConfigProblem& problem) {
  fmt::print(stderr, "bug: the default of {}: {}\n", problem.key, problem.reason);
  std::abort();
}

Config default_config(std::span<const CheckSpec> checks) {
  Config config{};
  for (const CheckSpec& spec : checks) config.checks.emplace(spec.name, default_settings(spec));
  const auto document = parse_toml(default_document());
  if (const auto* problem = std::get_if<ConfigProblem>(&document)) default_is_wrong(*problem);
  ConfigReader reader(checks, config);
  reader.read(std::get<ConfigNode>(document));
  if (const auto problems = reader.problems(); !problems.empty())
    default_is_wrong(problems.front());
  return config;
}

ConfigErrors in_words(const std::vector<ConfigProblem>& problems, const std::string& name) {
  ConfigErrors errors;
  for (const ConfigProblem& problem : problems) {
    errors.messages.push_back(fmt::format("{}:{}:{}: {}: {}", name, problem.at.line,
                                          problem.at.column, problem.key, problem.reason));
  }
  return errors;
}

std::string_view remedy(int error) {
  switch (error) {
    case ENOENT:
      return "; create it, or name another file with -c";
    case EACCES:
      return "; make it readable for the user that policyd runs as";
    case EISDIR:
      return "; name the file in it";
    default:
      return "";
  }
}

Result<std::string> read_file(const std::string& path) {
  auto failed = [&path](int error) {
    return Error{fmt::format("{}: cannot read: {}{}", path, std::strerror(error), remedy(error))};
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             std::fclose);
  if (!file) return failed(errno);
  std::string text;
  std::array<char, 16384> block;
  while (const size_t got = std::fread(block.data(), 1, block.size(), file.get())) {
    text.append(block.data(), got);
    if (text.size() <= kLargestFile) continue;
    return Error{
        fmt::format("{}: cannot read: it is larger than 16 MiB; is it the right file?", path)};
  }
  if (std::ferror(file.get()) != 0) return failed(errno);
  return text;
}

}  // namespace

std::variant<Config, ConfigErrors> parse_config(std::string_view toml, const std::string& name,
                                                std::span<const CheckSpec> checks) {
  const auto document = parse_toml(toml);
  if (const auto* problem = std::get_if<ConfigProblem>(&document))
    return in_words({*problem}, name);
  Config config = default_config(checks);
  ConfigReader reader(checks, config);
  reader.read(std::get<ConfigNode>(document));
  if (const auto problems = reader.problems(); !problems.empty()) return in_words(problems, name);
  return config;
}

std::variant<Config, ConfigErrors> load_config(const std::string& path,
                                               std::span<const CheckSpec> checks) {
  const Result<std::string> text = read_file(path);
  if (!text) return ConfigErrors{{text.error().message}};
  return parse_config(*text, path, checks);
}

}  // namespace policyd
