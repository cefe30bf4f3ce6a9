// A store that says what the test tells it to, and keeps what it was asked.
//
// It answers charges and greylisting, makes and ends locks, and takes reports and journals only: blocks and settings
// are for tests to write into the Mirror themselves.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "policyd/store/store.h"
#include "tests/support/gate.h"

namespace policyd::test {

class FakeStore final : public Store {
 public:
  // A Charge with text of its own.
  struct Asked {
    Charge::Kind kind;
    std::string account, instance, recipient;
    int64_t recipients, bytes;
    Limits limits;
    bool ended, dry_run;
    Limits signs{};
    std::string network{};
    Meter meter{};
    int64_t amount = 0;
  };
  std::vector<Asked> asked;
  ChargeResult answer;  // to every charge
  // A GreylistAttempt with text of its own.
  struct Attempted {
    std::string client, sender, recipient, instance;
    Milliseconds block, pass, record;
    int64_t auto_allow;
    bool dry_run;
  };
  std::vector<Attempted> attempted;
  GreylistResult greylisted;  // the answer to every attempt
  std::vector<ReportBatch> reported;  // handed over, whether it was taken or not
  std::string report_trouble;         // not empty: none is taken
  std::vector<JournalBatch> journaled;  // the same of the journal
  std::string journal_trouble;
  std::function<void()> on_journal;  // where there is one: called with every batch
  JournalPage journal_page;           // the answer to every range
  bool away = false;                  // as status() says
  std::vector<LockRequest> locked;  // asked for, whether they were made or not
  std::string lock_trouble;         // not empty: none is made
  bool lock_made = true;            // false: one was there
  std::vector<Lock> over;           // those that end the next time
  size_t asked_to_end = 0;
  Gate gate;            // every charge, attempt, report and lock passes it; open

  FakeStore() { gate.open(); }

  // From now on nothing passes: over `limit`, free again after `retry_after`.
  void refuse(const Limit& limit, std::optional<Milliseconds> retry_after) {
    answer.passed = false;
    answer.limit = limit;
    answer.retry_after = retry_after;
  }

  Result<void> start() override { return {}; }
  Task<void> stop() override { co_return; }
  Task<ChargeResult> charge(const Charge& charge) override {
    asked.push_back({charge.kind, std::string(charge.account), std::string(charge.instance),
                     std::string(charge.recipient), charge.recipients, charge.bytes, *charge.limits, charge.ended,
                     charge.dry_run, charge.signs ? *charge.signs : Limits{}, std::string(charge.network), charge.meter,
                     charge.amount});
    auto passing = gate.pass();
    co_await passing;
    co_return answer;
  }
  Task<GreylistResult> greylist(const GreylistAttempt& attempt) override {
    attempted.push_back({std::string(attempt.client), std::string(attempt.sender), std::string(attempt.recipient),
                         std::string(attempt.instance), attempt.block, attempt.pass, attempt.record,
                         attempt.auto_allow, attempt.dry_run});
    auto passing = gate.pass();
    co_await passing;
    co_return greylisted;
  }
  Task<Result<void>> put_block(Block) override { co_return none(); }
  Task<Result<bool>> remove_block(BlockTarget) override { co_return none(); }
  Task<Result<LockOutcome>> lock(LockRequest request) override {
    locked.push_back(request);
    auto passing = gate.pass();
    co_await passing;
    if (!lock_trouble.empty()) co_return Error{lock_trouble};
    co_return LockOutcome{make_lock(request, 0, WallTime{}), lock_made};
  }
  Task<Result<std::optional<Lock>>> unlock(std::string, std::string) override { co_return none(); }
  Task<Result<std::vector<Lock>>> end_locks() override {
    ++asked_to_end;
    auto passing = gate.pass();
    co_await passing;
    co_return std::exchange(over, {});
  }
  Task<Result<std::vector<LockEvent>>> lock_history(std::string) override { co_return none(); }
  Task<Result<void>> put_setting(std::string, std::string, std::string) override { co_return none(); }
  Task<Result<bool>> remove_setting(std::string, std::string) override { co_return none(); }
  Task<Result<AccountPage>> list_usage(size_t) override { co_return none(); }
  Task<Result<AccountUsage>> usage(std::string) override { co_return none(); }
  Task<Result<bool>> reset_usage(std::string) override { co_return none(); }
  std::vector<std::string> claimed;  // asked for, whether it was given or not
  bool gives_claims = true;
  Task<bool> claim(std::string what, Milliseconds) override {
    claimed.push_back(std::move(what));
    auto passing = gate.pass();
    co_await passing;
    co_return gives_claims;
  }
  Task<Result<void>> add_report(ReportBatch batch) override {
    auto passing = gate.pass();
    co_await passing;
    reported.push_back(std::move(batch));
    if (!report_trouble.empty()) co_return Error{report_trouble};
    co_return Result<void>();
  }
  Task<Result<ReportHours>> report(ReportKind, WallTime) override { co_return none(); }
  Task<Result<void>> add_journal(JournalBatch batch) override {
    auto passing = gate.pass();
    co_await passing;
    journaled.push_back(std::move(batch));
    if (on_journal) on_journal();
    if (!journal_trouble.empty()) co_return Error{journal_trouble};
    co_return Result<void>();
  }
  Task<Result<JournalPage>> journal(JournalRange) override { co_return journal_page; }
  Task<Result<std::vector<NodeInfo>>> nodes() override { co_return none(); }
  [[nodiscard]] StoreStatus status() const override {
    StoreStatus status;
    status.available = !away;
    return status;
  }

 private:
  static Error none() {
    return Error{"the fake store charges, greylists, locks and takes reports and journals only"};
  }
};

}  // namespace policyd::test
