// Addresses that a mail server on the internet can have.
//
// Not those are: loopback, private, link-local, shared (RFC 6598), unspecified, multicast and reserved ones (RFC 6890).
// The networks kept for documentation are let pass: no harm comes from them. Pure.
#pragma once

#include "shared/address.h"

namespace policyd {

bool is_public(const IpAddress& address);

}  // namespace policyd
