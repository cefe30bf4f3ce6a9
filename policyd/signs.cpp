#include "policyd/signs.h"

#include <utility>

namespace policyd {

namespace {

bool has_queue_id(const Request& request) { return !request.get(Attribute::queue_id).empty(); }

}  // namespace

void Signs::passed(const Request& request, const Subject& subject, int64_t before,
                   const std::shared_ptr<const AccountPolicy>& policy, OpenTransaction& transaction) {
  transaction.passed(request.instance(), subject.account(), has_queue_id(request), before, policy);
}

void Signs::settle(const Request& request, const Subject& subject, OpenTransaction& transaction) {
  settles_ = true;
  queue_ids_tell_ = queue_ids_tell_ && has_queue_id(request);
  transaction.settle();
  outgoing_.settle(request.instance(), subject.account());
}

// Without the hook Postfix would not ask at DATA however many recipients it took.
void Signs::give_up(std::optional<OpenTransaction::Abandoned> abandoned) {
  if (!abandoned || !settles_ || outgoing_.settled(abandoned->instance, abandoned->account)) return;
  const int64_t amount = abandoned->invalid(queue_ids_tell_);
  std::erase_if(counting_, [](const Task<void>& task) { return task.done(); });
  counting_.push_back(count_abandoned(*std::move(abandoned), amount));
  counting_.back().start();
}

Task<void> Signs::count_abandoned(OpenTransaction::Abandoned abandoned, int64_t amount) {
  const auto counting = count(std::move(abandoned.account), std::move(abandoned.policy), Meter::invalid_recipients,
                              amount);
  co_await counting;
}

Task<ChargeResult> Signs::count(std::string account, std::shared_ptr<const AccountPolicy> policy, Meter meter,
                                int64_t amount) {
  const Charge charge = Outgoing::sign_of(account, *policy, meter, amount);
  const auto charging = store_.charge(charge);
  const ChargeResult charged = co_await charging;
  if (charged.sign) warden_.notice(account, *charged.sign, charged.sign_used, *policy);
  co_return charged;
}

}  // namespace policyd
