// What both sides of the admin API have to know alike.
#pragma once

namespace policyd {

// ?limit=N, of what can be listed in part: from 1 to this.
inline constexpr int kMostListed = 10'000;

}  // namespace policyd
