#include "policyd/open_transaction.h"

#include <algorithm>
#include <functional>

namespace policyd {

std::optional<OpenTransaction::Abandoned> OpenTransaction::begin(std::string_view instance) {
  if (!open_ || (!instance.empty() && open_->instance == instance)) return std::nullopt;
  const std::unique_ptr<Open> over = std::move(open_);
  return Abandoned{std::move(over->instance), std::move(over->account), std::move(over->policy),
                   static_cast<int64_t>(over->recipients.size())};
}

void OpenTransaction::passed(std::string_view instance, std::string_view account, std::string_view recipient,
                             const std::shared_ptr<const AccountPolicy>& policy) {
  if (instance.empty()) return;
  if (!open_) open_ = std::make_unique<Open>(Open{std::string(instance), std::string(account), policy, {}});
  const size_t hash = std::hash<std::string_view>{}(recipient);
  auto& all = open_->recipients;
  if (std::find(all.begin(), all.end(), hash) == all.end()) all.push_back(hash);
}

}  // namespace policyd
