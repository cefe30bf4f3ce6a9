#include "policyd/open_transaction.h"

#include <algorithm>
#include <utility>

namespace policyd {

int64_t OpenTransaction::Abandoned::invalid(bool queue_ids_tell) const {
  if (explained) return queue_ids_tell ? refused : 0;
  if (!queue_ids_tell) return 1;
  return std::max<int64_t>(refused + (accepted ? 0 : 1), 1);
}

std::optional<OpenTransaction::Abandoned> OpenTransaction::begin(std::string_view instance) {
  if (!open_ || (!instance.empty() && open_->instance == instance)) return std::nullopt;
  const std::unique_ptr<Abandoned> over = std::move(open_);
  return std::move(*over);
}

void OpenTransaction::passed(const Message& message, int64_t before,
                             const std::shared_ptr<const AccountPolicy>& policy) {
  const auto& [instance, account, service, has_queue_id] = message;
  if (instance.empty()) return;
  if (!open_) {
    open_ = std::make_unique<Abandoned>(Abandoned{std::string(instance), std::string(account), service, policy});
  }
  open_->accepted = open_->accepted || has_queue_id;
  if (!has_queue_id) open_->refused = before;
  open_->passed = before + 1;
}

void OpenTransaction::refused(bool has_queue_id) {
  if (!open_) return;
  open_->explained = true;
  open_->accepted = open_->accepted || has_queue_id;
  if (!has_queue_id) open_->refused = open_->passed;
}

}  // namespace policyd
