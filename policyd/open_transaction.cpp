#include "policyd/open_transaction.h"

#include <algorithm>
#include <utility>

namespace policyd {

int64_t OpenTransaction::Abandoned::invalid(bool queue_ids_tell) const {
  if (explained) return queue_ids_tell ? refused : 0;
  if (!queue_ids_tell) return 1;
  return std::max<int64_t>(refused + (accepted ? 0 : 1), 1);
}

const OpenTransaction::Abandoned* OpenTransaction::begin(std::string_view instance) {
  if (!open_ || (!instance.empty() && message_->instance == instance)) return nullptr;
  open_ = false;
  return message_.get();
}

// In the memory of the message before.
void OpenTransaction::open(const Message& message, const std::shared_ptr<const AccountPolicy>& policy) {
  if (!message_) message_ = std::make_unique<Abandoned>();
  message_->instance = message.instance;
  message_->account = message.account;
  message_->key = message.key;
  message_->service = message.service;
  message_->policy = policy;
  message_->passed = message_->refused = 0;
  message_->accepted = message_->explained = false;
  message_->all_exist = true;
  open_ = true;
}

void OpenTransaction::passed(const Message& message, int64_t before,
                             const std::shared_ptr<const AccountPolicy>& policy) {
  if (message.instance.empty()) return;
  if (!open_) open(message, policy);
  message_->accepted = message_->accepted || message.has_queue_id;
  message_->all_exist = message_->all_exist && message.exists;
  if (!message.has_queue_id) message_->refused = before;
  message_->passed = before + 1;
}

void OpenTransaction::refused(bool has_queue_id) {
  if (!open_) return;
  message_->explained = true;
  message_->accepted = message_->accepted || has_queue_id;
  if (!has_queue_id) message_->refused = message_->passed;
}

}  // namespace policyd
