#include "policyd/signs.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace policyd {

namespace {

bool has_queue_id(const Request& request) { return !request.get(Attribute::queue_id).empty(); }

}  // namespace

void Signs::Counting::ask(const Charge& sign) {
  const auto free = std::find_if(asked_.begin(), asked_.end(), [](const auto& task) { return !task; });
  if (free == asked_.end()) std::abort();  // a decision that asks for more signs than it has room for
  free->emplace(count(sign));
  (*free)->start();
}

bool Signs::Counting::waits() const {
  return std::any_of(asked_.begin(), asked_.end(), [](const auto& task) { return task && !task->done(); });
}

Task<void> Signs::Counting::answered() const {
  for (const auto& task : asked_) {
    EndOf ended{task};
    co_await ended;
  }
}

Task<void> Signs::Counting::count(Charge sign) {
  const auto charging = store_.charge(sign);
  Outgoing::take_sign(co_await charging, verdict_);
}

// Without an instance its message cannot be known at its end.
void Signs::found(const Outgoing::Mail& mail, const AccountPolicy& policy, bool spam, bool refused,
                  const Verdict& verdict, Counting& counting) {
  const std::string_view account = mail.subject.account();
  if (policy.counts_spam && spam && outgoing_.first_spam(mail)) {
    counting.ask(Outgoing::sign_of(account, policy, Meter::spam, 1));
  }
  const bool at_once = refused || mail.request.instance().empty();
  if (policy.counts_invalid && at_once && !exists(verdict) && outgoing_.first_refusal(mail)) {
    counting.ask(Outgoing::sign_of(account, policy, Meter::invalid_recipients, 1));
  }
}

void Signs::settling(const Outgoing::Mail& mail, const AccountPolicy& policy, const std::optional<Charge>& charge,
                     Counting& counting) {
  if (!policy.counts_invalid) return;
  const int64_t left = outgoing_.take_nonexistent(mail, charge);
  if (left > 0) counting.ask(Outgoing::sign_of(mail.subject.account(), policy, Meter::invalid_recipients, left));
}

bool Signs::exists(const Verdict& verdict) {
  return std::none_of(verdict.findings.begin(), verdict.findings.end(), [](const Finding& finding) {
    return finding.counted && finding.outcome && finding.outcome->invalid_recipient;
  });
}

void Signs::passed(const Outgoing::Mail& mail, int64_t before, bool exists,
                   const std::shared_ptr<const AccountPolicy>& policy, OpenTransaction& transaction) const {
  const auto& [request, subject, key] = mail;
  transaction.passed(
      {request.instance(), subject.account(), key, ends_.service_of(request), has_queue_id(request), exists}, before,
      policy);
}

void Signs::refused(const Request& request, OpenTransaction& transaction) {
  transaction.refused(has_queue_id(request));
}

void Signs::settle(const Outgoing::Mail& mail, OpenTransaction& transaction) {
  ends_.learn(mail.request, mail.subject.account());
  transaction.settle();
  if (!mail.request.instance().empty()) outgoing_.settle(mail.message);
}

// Without the hook Postfix would not ask at DATA however many recipients it took: then those that do not exist are
// certain, and no others.
void Signs::give_up(const OpenTransaction::Abandoned* abandoned) {
  if (!abandoned) return;
  const MessageEnds::Known* const ends = ends_.of(abandoned->service);
  if (!ends && abandoned->all_exist) return;
  const auto nonexistent = outgoing_.give_up(abandoned->key);
  if (!nonexistent) return;
  const int64_t amount = std::max(*nonexistent, ends ? abandoned->invalid(ends->queue_ids) : 0);
  if (amount == 0) return;
  if (ends_.seen(abandoned->service, abandoned->account)) {
    later(given_back(abandoned->instance, abandoned->account, abandoned->policy));
  }
  count_later(abandoned->account, abandoned->policy, Meter::invalid_recipients, amount);
}

void Signs::hit(const Outgoing::Mail& mail, const std::shared_ptr<const AccountPolicy>& policy) {
  if (!policy->counts_hits || !outgoing_.first_hit(mail)) return;
  count_later(std::string(mail.subject.account()), policy, Meter::limit_hits, 1);
}

void Signs::count_later(std::string account, std::shared_ptr<const AccountPolicy> policy, Meter meter,
                        int64_t amount) {
  later(counted(std::move(account), std::move(policy), meter, amount));
}

void Signs::later(Task<void> task) {
  std::erase_if(later_, [](const Task<void>& one) { return one.done(); });
  later_.push_back(std::move(task));
  later_.back().start();
}

Task<void> Signs::given_back(std::string instance, std::string account, std::shared_ptr<const AccountPolicy> policy) {
  const Charge charge = Outgoing::give_back_of(instance, account, *policy);
  const auto charging = store_.charge(charge);
  co_await charging;
}

Task<void> Signs::counted(std::string account, std::shared_ptr<const AccountPolicy> policy, Meter meter,
                          int64_t amount) {
  const auto counting = count(std::move(account), std::move(policy), meter, amount);
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
