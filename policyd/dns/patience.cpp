#include "policyd/dns/patience.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "shared/duration.h"

namespace policyd {

Milliseconds Patience::now() const {
  return is_short() ? std::min(timeout_, std::max(timeout_ / 10, kLeast)) : timeout_;
}

void Patience::silence() {
  if (is_short() || ++silences_ < kSilences) return;
  spdlog::warn("dns: {} did not answer {} queries in a row; until one is answered, others are waited for {} instead of "
               "{}",
               servers_, kSilences, format_duration(now()), format_duration(timeout_));
}

void Patience::answer() {
  const bool was_short = is_short();
  silences_ = 0;
  if (was_short) spdlog::info("dns: {} answers again; a query is waited for {}", servers_, format_duration(timeout_));
}

}  // namespace policyd
