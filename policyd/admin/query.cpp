#include "policyd/admin/query.h"

#include <charconv>

#include "shared/admin_api.h"
#include "shared/text.h"

namespace policyd {

Result<size_t> limit_of(const ApiRequest& request, size_t usual) {
  const auto given = request.query.find("limit");
  if (given == request.query.end()) return usual;
  const std::string& text = given->second;
  size_t limit = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (failure == std::errc() && end == text.data() + text.size() && limit >= 1 &&
      limit <= size_t{kMostListed}) {
    return limit;
  }
  return Error{"limit: " + policyd::quoted(text) + " is not a number from 1 to " + std::to_string(kMostListed)};
}

}  // namespace policyd
