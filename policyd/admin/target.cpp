#include "policyd/admin/target.h"

#include <algorithm>

#include "shared/percent_encoding.h"
#include "shared/text.h"

namespace policyd {

namespace {

// The parts of `text` between separators, empty ones left out.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Result<std::string> decoded(std::string_view text) {
  auto octets = percent_decode(text);
  if (octets) return *std::move(octets);
  return Error{quoted(text) + " is not percent-encoded: two hexadecimal digits follow each '%'"};
}

}  // namespace

Result<HttpTarget> HttpTarget::parse(std::string_view text) {
  const size_t mark = std::min(text.find('?'), text.size());
  HttpTarget target;
  for (const std::string_view segment : split(text.substr(0, mark), '/')) {
    Result<std::string> name = decoded(segment);
    if (!name) return name.error();
    target.path.push_back(std::move(*name));
  }
  for (const std::string_view pair : split(text.substr(std::min(mark + 1, text.size())), '&')) {
    const size_t equals = std::min(pair.find('='), pair.size());
    const Result<std::string> name = decoded(pair.substr(0, equals));
    if (!name) return name.error();
    Result<std::string> value = decoded(pair.substr(std::min(equals + 1, pair.size())));
    if (!value) return value.error();
    target.query[*name] = std::move(*value);
  }
  return target;
}

std::optional<std::vector<std::string>> match_path(std::string_view pattern,
                                                   const std::vector<std::string>& path) {
  const auto wanted = split(pattern, '/');
  if (wanted.size() != path.size()) return std::nullopt;
  std::vector<std::string> names;
  for (size_t i = 0; i < path.size(); ++i) {
    if (wanted[i].starts_with('{')) {
      names.push_back(path[i]);
    } else if (wanted[i] != path[i]) {
      return std::nullopt;
    }
  }
  return names;
}

}  // namespace policyd
