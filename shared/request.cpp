#include "shared/request.h"

#include <charconv>

namespace policyd {

namespace {

// Numbers above 2^53 could not be counted exactly by every store, and no mail is that large.
int64_t number(std::string_view text) {
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = failure == std::errc{} && end == text.data() + text.size();
  return whole && value >= 0 && value < (int64_t{1} << 53) ? value : 0;
}

}  // namespace

int64_t Request::size() const { return number(get(Attribute::size)); }
int64_t Request::recipient_count() const { return number(get(Attribute::recipient_count)); }

void Request::clear() {
  constexpr size_t kKeepCapacity = 4096;
  values_.fill({});
  state_ = ProtocolState::unknown;
  octets_.clear();
  if (octets_.capacity() > kKeepCapacity) octets_.shrink_to_fit();
}

}  // namespace policyd
