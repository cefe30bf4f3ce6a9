#include "policyd/busy_accounts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "shared/text.h"

namespace policyd {

double BusyAccounts::Place::figure_at(SteadyTime now) const {
  return figure * std::exp2(-static_cast<double>((now - at).count()) / static_cast<double>(kHalfLife.count()));
}

void BusyAccounts::note(std::string_view account, SteadyTime now) {
  if (sets_.empty()) sets_.resize(kSets);
  const uint64_t hash = stable_hash(account, seed_);
  auto& set = sets_[hash % kSets];
  auto place = std::find_if(set.begin(), set.end(), [&](const Place& each) {
    return each.figure > 0 && each.hash == hash && each.account == account;
  });
  if (place == set.end()) {
    place = std::min_element(set.begin(), set.end(), [now](const Place& left, const Place& right) {
      return left.figure_at(now) < right.figure_at(now);
    });
    place->hash = hash;
    place->account = account;
  }
  place->figure = place->figure_at(now) + 1;
  place->at = now;
}

std::vector<std::string> BusyAccounts::busiest(size_t most, SteadyTime now) const {
  std::vector<std::pair<double, const Place*>> order;
  for (const auto& set : sets_) {
    for (const Place& place : set) {
      if (place.figure > 0) order.emplace_back(place.figure_at(now), &place);
    }
  }
  std::sort(order.begin(), order.end(), [](const auto& left, const auto& right) {
    return left.first != right.first ? left.first > right.first : left.second->account < right.second->account;
  });
  if (order.size() > most) order.resize(most);
  std::vector<std::string> accounts;
  for (const auto& [figure, place] : order) accounts.push_back(place->account);
  return accounts;
}

}  // namespace policyd
