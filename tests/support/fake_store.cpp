#include "tests/support/fake_store.h"

#include <utility>

namespace policyd::test {

namespace {

Error none() {
  return Error{"the fake store charges, greylists, locks and takes reports and journals only"};
}

}  // namespace

FakeStore::FakeStore() {
  gate.open();
}

FakeStore::~FakeStore() = default;

void FakeStore::refuse(const Limit& limit, std::optional<Milliseconds> retry_after) {
  answer.passed = false;
  answer.limit = limit;
  answer.retry_after = retry_after;
}

Result<void> FakeStore::start() {
  return {};
}

Task<void> FakeStore::stop() {
  co_return;
}

Task<ChargeResult> FakeStore::charge(const Charge& charge) {
  asked.push_back({charge.kind, std::string(charge.account), std::string(charge.instance),
                   std::string(charge.recipient), charge.recipients, charge.bytes, *charge.limits, charge.ended,
                   charge.dry_run, charge.signs ? *charge.signs : Limits{}, std::string(charge.network), charge.meter,
                   charge.amount});
  auto passing = gate.pass();
  co_await passing;
  co_return answer;
}

Task<GreylistResult> FakeStore::greylist(const GreylistAttempt& attempt) {
  attempted.push_back({std::string(attempt.client), std::string(attempt.sender), std::string(attempt.recipient),
                       std::string(attempt.instance), attempt.block, attempt.pass, attempt.record,
                       attempt.auto_allow, attempt.dry_run});
  auto passing = gate.pass();
  co_await passing;
  co_return greylisted;
}

Task<Result<void>> FakeStore::put_block(Block) { co_return none(); }
Task<Result<bool>> FakeStore::remove_block(BlockTarget) { co_return none(); }

Task<Result<LockOutcome>> FakeStore::lock(LockRequest request) {
  locked.push_back(request);
  auto passing = gate.pass();
  co_await passing;
  if (!lock_trouble.empty()) co_return Error{lock_trouble};
  co_return LockOutcome{make_lock(request, 0, WallTime{}), lock_made};
}

Task<Result<std::optional<Lock>>> FakeStore::unlock(std::string, std::string) { co_return none(); }

Task<Result<std::vector<Lock>>> FakeStore::end_locks() {
  ++asked_to_end;
  auto passing = gate.pass();
  co_await passing;
  co_return std::exchange(over, {});
}

Task<Result<std::vector<LockEvent>>> FakeStore::lock_history(std::string) { co_return none(); }
Task<Result<void>> FakeStore::put_setting(std::string, std::string, std::string) { co_return none(); }
Task<Result<bool>> FakeStore::remove_setting(std::string, std::string) { co_return none(); }
Task<Result<Store::AccountPage>> FakeStore::list_usage(size_t) { co_return none(); }
Task<Result<AccountUsage>> FakeStore::usage(std::string) { co_return none(); }
Task<Result<bool>> FakeStore::reset_usage(std::string) { co_return none(); }

Task<bool> FakeStore::claim(std::string what, Milliseconds) {
  claimed.push_back(std::move(what));
  auto passing = gate.pass();
  co_await passing;
  co_return gives_claims;
}

Task<Result<void>> FakeStore::add_report(ReportBatch batch) {
  auto passing = gate.pass();
  co_await passing;
  reported.push_back(std::move(batch));
  if (!report_trouble.empty()) co_return Error{report_trouble};
  co_return Result<void>();
}

Task<Result<ReportHours>> FakeStore::report(ReportKind, WallTime) { co_return none(); }

Task<Result<void>> FakeStore::add_journal(JournalBatch batch) {
  auto passing = gate.pass();
  co_await passing;
  journaled.push_back(std::move(batch));
  if (on_journal) on_journal();
  if (!journal_trouble.empty()) co_return Error{journal_trouble};
  co_return Result<void>();
}

Task<Result<JournalPage>> FakeStore::journal(JournalRange) { co_return journal_page; }
Task<Result<std::vector<NodeInfo>>> FakeStore::nodes() { co_return none(); }

StoreStatus FakeStore::status() const {
  StoreStatus status;
  status.available = !away;
  return status;
}

}  // namespace policyd::test
