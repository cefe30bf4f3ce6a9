// The account that a path names.
#pragma once

#include <string>
#include <string_view>

#include "shared/result.h"

namespace policyd {

// Any account that mail can be charged to, whatever its octets, as it is known: lower case; a client address as that of
// mail without a login; a very long name cut (charged_name()). An Error for what no request of Postfix can hold: a NUL,
// a line end.
Result<std::string> account_name(std::string_view text);

// What settings can belong to: "default", a domain, a network, a login without control characters; a very long name cut
// likewise, so that they hold for what is charged to it.
Result<std::string> settings_name(std::string_view text);

// A login, a client's account, or what mail is charged to under `mode`, the value of traffic.account. An Error says of
// another name what that is.
Result<std::string> lockable_account(std::string_view text, std::string_view mode);

}  // namespace policyd
