// What both sides of the admin API have to know alike.
#pragma once

namespace policyd {

// GET /v1/accounts?limit=N: from 1 to this.
inline constexpr int kMostAccountsListed = 10'000;

}  // namespace policyd
