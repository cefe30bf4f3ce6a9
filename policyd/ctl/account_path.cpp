#include "policyd/ctl/account_path.h"

#include "shared/charged_name.h"
#include "shared/percent_encoding.h"
#include "shared/text.h"

namespace policyd {

std::string asked_account(const std::string& account) {
  return account.size() <= kLongestAccountName ? account : charged_name(to_lower(account));
}

std::string account_path(const std::string& account, std::string_view rest) {
  return "/v1/accounts/" + percent_encode(asked_account(account)) + std::string(rest);
}

}  // namespace policyd
