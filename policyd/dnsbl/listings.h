// What DNS lists say of a request: the part that dnsbl and rhsbl share.
//
// All questions go out together, one for each zone and name; suspended zones are not asked, nor believed. An entry
// of the configuration counts once, however many addresses of however many names it matches. What could not be found
// out is an error of the observation, beside what was found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/checks/check.h"
#include "policyd/dnsbl/zones.h"

namespace policyd {

// What lists are asked about.
struct ListSubject {
  std::string question;   // what is put before the zone: "2.0.0.127", "example.com"
  std::string_view noun;  // for replies: "client", "sender domain"
  unsigned names = ~0U;   // a bit for each ListedName that it is
};

// `groups` as Zones::of() gives them, or null. The outcomes have index 0, and weights, reason and detail of their own.
Task<Observation> find_listings(const CheckContext& context, std::shared_ptr<const ZoneGroups> groups,
                                std::vector<ListSubject> subjects);

}  // namespace policyd
