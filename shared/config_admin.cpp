#include "shared/config_admin.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <toml++/toml.h>

#include "shared/config_schema.h"

namespace policyd {
namespace {

constexpr std::string_view kKey = "admin.listen";

Error wrong(const std::string& file, const toml::source_region& at, std::string_view reason) {
  return Error{fmt::format("{}:{}:{}: {}: {}", file, at.begin.line, at.begin.column, kKey, reason)};
}

Result<std::vector<Endpoint>> read_listen(const toml::node& node, const std::string& file) {
  const toml::array* list = node.as_array();
  if (!list)
    return wrong(file, node.source(), "expected a list, e.g. [\"unix:/run/policyd/admin.sock\"]");
  std::vector<Endpoint> endpoints;
  for (const toml::node& item : *list) {
    const auto text = item.value<std::string>();
    if (!text)
      return wrong(file, item.source(), "expected a string, e.g. \"unix:/run/policyd/admin.sock\"");
    auto endpoint = Endpoint::parse(*text);
    if (!endpoint) return wrong(file, item.source(), endpoint.error().message);
    if (endpoint->kind == Endpoint::Kind::unix_socket) endpoints.push_back(std::move(*endpoint));
  }
  return endpoints;
}

}  // namespace

Result<std::vector<Endpoint>> load_admin_listen(const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  if (!file) return Error{path + ": cannot read: " + std::strerror(errno)};
  try {
    const toml::table table = toml::parse(file, path);
    const auto node = table.at_path(kKey);
    if (!node) return default_admin_listen();
    return read_listen(*node.node(), path);
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    return Error{fmt::format("{}:{}:{}: {}", path, at.line, at.column, error.description())};
  }
}

// From the schema's own row, so that there is one truth.
std::vector<Endpoint> default_admin_listen() {
  for (const KeyRow& row : key_rows()) {
    if (row.key != kKey) continue;
    const toml::table table = toml::parse(fmt::format("listen = {}", row.initial));
    return *read_listen(*table.get("listen"), "");
  }
  return {};
}

}  // namespace policyd
