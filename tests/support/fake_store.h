// A store that says what the test tells it to, and keeps what it was asked.
//
// It answers charges and greylisting, makes and ends locks, and takes reports and journals only: blocks and settings
// are for tests to write into the Mirror themselves.
#pragma once

#include <functional>
#include <optional>
#include <string>
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

  std::vector<std::string> claimed;  // asked for, whether it was given or not
  bool gives_claims = true;

  FakeStore();
  ~FakeStore() override;

  // From now on nothing passes: over `limit`, free again after `retry_after`.
  void refuse(const Limit& limit, std::optional<Milliseconds> retry_after);

  Result<void> start() override;
  Task<void> stop() override;
  Task<ChargeResult> charge(const Charge& charge) override;
  Task<GreylistResult> greylist(const GreylistAttempt& attempt) override;
  Task<Result<void>> put_block(Block) override;
  Task<Result<bool>> remove_block(BlockTarget) override;
  Task<Result<LockOutcome>> lock(LockRequest request) override;
  Task<Result<std::optional<Lock>>> unlock(std::string, std::string) override;
  Task<Result<std::vector<Lock>>> end_locks() override;
  Task<Result<std::vector<LockEvent>>> lock_history(std::string) override;
  Task<Result<void>> put_setting(std::string, std::string, std::string) override;
  Task<Result<bool>> remove_setting(std::string, std::string) override;
  Task<Result<AccountPage>> list_usage(size_t) override;
  Task<Result<AccountUsage>> usage(std::string) override;
  Task<Result<bool>> reset_usage(std::string) override;
  Task<bool> claim(std::string what, Milliseconds) override;
  Task<Result<void>> add_report(ReportBatch batch) override;
  Task<Result<ReportHours>> report(ReportKind, WallTime) override;
  Task<Result<void>> add_journal(JournalBatch batch) override;
  Task<Result<JournalPage>> journal(JournalRange) override;
  Task<Result<std::vector<NodeInfo>>> nodes() override;
  [[nodiscard]] StoreStatus status() const override;
};

}  // namespace policyd::test
