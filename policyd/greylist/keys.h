// By what greylisting recognises an attempt: the client, the envelope sender and the recipient, each in the form that a
// retry has too.
//
// Pure. What is too long is cut and marked with a hash of the whole, so that every key is at most kLongestKey octets;
// it holds no space, no control character and no '>', which are percent-encoded ("a%20b@example.com"), so that a store
// can put several in a row.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shared/address.h"

namespace policyd {

inline constexpr size_t kLongestGreylistKey = 200;

// The domain that a host's name identifies its operator by: the last two labels, or three where the last is a country's
// and the one before it one of the usual "co", "com", "ac" ... ("mx1.example.co.uk" -> "example.co.uk"). Empty where
// the name has no dot. Known limits: without the Public Suffix List, hosts below a suffix that is not of this form
// ("a.blogspot.com", "shop.kyoto.jp") share one domain; they share a greylist key then, and nothing else depends on it.
std::string_view operator_domain(std::string_view host_name);

// Whether a host's name is made of its address, as those are that a provider gives to all his customers: below the
// operator's domain it holds all of it (shared/generic_name.h), or the last two octets as numbers
// ("host-2-1.dsl.example.net"); of IPv6, the last 64 bits in hex. Who is taken for that by mistake, such as
// "mail-2-1.example.net", is known by its network.
bool is_made_of_address(std::string_view host_name, const IpAddress& address);

// The client: "example.com" where a confirmed name (empty or "unknown": there is none) identifies its operator, else
// `identity`, a domain that the client was shown to send for (an SPF pass; may be empty), else its network,
// "192.0.2.0/24" or "2001:db8::/64": big senders try again from another host. Nothing where none of these is known.
std::optional<std::string> greylist_client(const std::optional<IpAddress>& address, std::string_view confirmed_name,
                                           std::string_view identity);

// The envelope sender, in lower case, without what differs from message to message or from try to try:
//   BATV    prvs=1234567890=ann@example.com, btv1==...==ann@...    -> ann@example.com
//   SRS     srs0=HASH=DAY=example.org=ann@example.com              -> srs0=example.org=ann@example.com; SRS1 likewise
//   tags    ann+anything@example.com                               -> ann@example.com
//   VERP    bounce-4711-ann=example.org@...                        -> bounce-#-ann=example.org@...
// What VERP puts in is a word of digits, one of 8 and more hex digits, or one of 16 and more characters of which at
// least 4 are digits. The null sender is empty.
std::string greylist_sender(std::string_view sender);

// The recipient, in lower case.
std::string greylist_recipient(std::string_view recipient);

}  // namespace policyd
