// DNS messages (RFC 1035, 4): an answer's octets -> what it says.
//
// Every octet may be a stranger's: lengths are checked before they are believed, compression pointers may only lead
// backwards, and what does not add up makes the whole answer `malformed`. Names come out in lower case without the dot
// at the end; octets that would change how a name reads are escaped (RFC 1035, 5.1: "\." for a dot within a label,
// "\032" for a space). Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "policyd/dns/resolver.h"

namespace policyd {

struct DnsReply {
  DnsAnswer answer;
  // How long it holds: the least TTL of the records used, the CNAMEs on the way included; of a no: by its SOA record
  // (RFC 2308, 5). Nothing where the message does not say.
  std::optional<std::chrono::seconds> ttl;
};

// More records than that of one answer are not looked at.
inline constexpr size_t kMostRecords = 256;

// `octets`: the whole message. That its question is the one that was asked is known by whoever sent it; its type is
// checked.
DnsReply parse_message(std::string_view octets, DnsType type);

}  // namespace policyd
