// The target of an HTTP request: a path and a query, taken apart and percent-decoded (RFC 3986).
// Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace policyd {

struct HttpTarget {
  std::vector<std::string> path;  // "/v1/blocks": {"v1", "blocks"}; a final '/' makes no difference
  std::map<std::string, std::string> query;  // the last of a repeated name counts
  static Result<HttpTarget> parse(std::string_view text);
};

// What stands in `path` for the {names} of `pattern`; nothing where they do not match.
std::optional<std::vector<std::string>> match_path(std::string_view pattern,
                                                   const std::vector<std::string>& path);

}  // namespace policyd
