// What the answers of DNS lists mean (RFC 5782), and what lists are tested with.
//
// A listing is an A record in 127.0.0.0/8. Lists also answer with addresses that say "I refuse": taken for listings
// those reject all mail, so they are told apart here, and so is what resolvers and domain sellers answer in place of a
// list that is gone. Pure.
#pragma once

#include <string>
#include <vector>

#include "policyd/dns/resolver.h"
#include "shared/dns_zone.h"

namespace policyd {

struct Judgement {
  enum class Kind : uint8_t {
    not_listed,
    listed,
    error,    // an answer that is no listing: the list refuses, or is none any more
    unknown,  // no answer
  };
  Kind kind = Kind::not_listed;
  std::string why;  // error, unknown: for people, with what to do about it
};

// `entries`: all of that zone; they decide whether an answer that only some lists use as an error is one here.
Judgement judge(const DnsAnswer& answer, ZoneKind kind, const std::vector<ZoneSettings>& entries);

// What is put before a zone's name to ask for an entry that every list has, and for one that none may have (RFC 5782,
// 5): 127.0.0.2 and 127.0.0.1, or ::FFFF:7F00:2 and ::FFFF:7F00:1; TEST and INVALID in lists of names.
struct TestPoints {
  std::string listed;
  std::string unlisted;
  std::string_view unlisted_name;  // for people: "127.0.0.1"
};
TestPoints test_points(ZoneKind kind);
TestPoints test_points_v6();

}  // namespace policyd
