// Addresses that a mail system has rewritten: the tags of BATV (Bounce Address Tag Validation) and SRS (Sender
// Rewriting Scheme) in front of the local part. Pure; letters of either case are the same.
#pragma once

#include <string_view>

namespace policyd {

// The address, or local part, without the tag that stands before it: "prvs=1003abcdef=joe@example.com", or Barracuda's
// "btv1==003abcd==joe@example.com", is "joe@example.com"; what has no such tag is as it was.
std::string_view without_batv_tag(std::string_view address);

// Whether a local part begins as SRS has it: "SRS0=...", "SRS1-...", "srs0+...".
bool is_srs(std::string_view local);

}  // namespace policyd
