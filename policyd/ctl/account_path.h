// Accounts in paths of the admin API.
#pragma once

#include <string>
#include <string_view>

namespace policyd {

// As it is, but for a name so long that mail is charged under another: that one (charged_name()).
std::string asked_account(const std::string& account);

// "/v1/accounts/joe%40example.com/lock"
std::string account_path(const std::string& account, std::string_view rest = {});

}  // namespace policyd
