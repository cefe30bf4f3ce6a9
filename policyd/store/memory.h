// The embedded store: everything in this process, and with a file durable.
//
// With a file blocks, locks, settings and the journal are on disk when the call returns; counters, greylist and reports
// are written every kFlushPeriod and at stop(). Without one the journal is a ring (journal_ring.h). A disk that cannot
// be written to is an Error for blocks, settings and the journal; a lock is in force all the same, and written when it
// can be; all else goes on in memory, the state is told once (log) and writing is tried again. start() fails where the
// file cannot be opened; rows of it that make no sense are logged and left out.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/async/timer.h"
#include "policyd/report/report_table.h"
#include "policyd/store/claim_table.h"
#include "policyd/store/greylist_table.h"
#include "policyd/store/journal_ring.h"
#include "policyd/store/ledger.h"
#include "policyd/store/mirror.h"
#include "policyd/store/state_writer.h"
#include "policyd/store/store.h"

struct uv_loop_s;

namespace policyd {

class MemoryStore final : public Store {
 public:
  static constexpr Milliseconds kFlushPeriod{20'000};

  // `path` empty: nothing outlives the process. All references outlive the store.
  MemoryStore(uv_loop_s* loop, const Clock& clock, Mirror& mirror, std::string path);
  ~MemoryStore() override;

  Result<void> start() override;
  Task<void> stop() override;
  Task<ChargeResult> charge(const Charge& charge) override;
  Task<GreylistResult> greylist(const GreylistAttempt& attempt) override;
  Task<Result<void>> put_block(Block block) override;
  Task<Result<bool>> remove_block(BlockTarget target) override;
  Task<Result<LockOutcome>> lock(LockRequest request) override;
  Task<Result<std::optional<Lock>>> unlock(std::string account, std::string by) override;
  Task<Result<std::vector<Lock>>> end_locks() override;
  Task<Result<std::vector<LockEvent>>> lock_history(std::string account) override;
  Task<Result<void>> put_setting(std::string account, std::string key, std::string value) override;
  Task<Result<bool>> remove_setting(std::string account, std::string key) override;
  Task<Result<AccountPage>> list_usage(size_t limit) override;
  Task<Result<AccountUsage>> usage(std::string account) override;
  Task<Result<bool>> reset_usage(std::string account) override;
  Task<bool> claim(std::string what, Milliseconds duration) override;
  Task<Result<void>> add_report(ReportBatch batch) override;
  Task<Result<ReportHours>> report(ReportKind kind, WallTime since) override;
  Task<Result<void>> add_journal(JournalBatch batch) override;
  Task<Result<JournalPage>> journal(JournalRange range) override;
  Task<Result<std::vector<NodeInfo>>> nodes() override;
  [[nodiscard]] StoreStatus status() const override;

 private:
  Result<void> open_file();
  // Does `work` where there is a file, then `effect`.
  Task<Result<bool>> change(StateWriter::Work work, StateWriter::Effect effect);

  // memory_locks.cpp
  void restore_locks(std::string account, LockRecord record);
  void end_lock_of(const std::string& account);
  Task<Result<void>> write_locks(std::string account);
  Task<void> write_locks_again();
  void sweep_locks();

  uv_loop_s* loop_;
  const Clock& clock_;
  Mirror& mirror_;
  std::string path_;
  Ledger ledger_;
  GreylistTable greylist_;
  ReportTable reports_{{}};
  std::map<std::string, LockRecord, std::less<>> locks_;  // by account
  std::vector<Lock> ended_locks_;                         // that nobody has been told of
  std::set<std::string> unwritten_locks_;  // accounts whose locks the file does not know as they are
  ClaimTable claims_;
  JournalRing journal_;  // without a file
  std::unique_ptr<StateWriter> writer_;  // none without a file
  std::unique_ptr<Timer> sweep_timer_, flush_timer_;
};

}  // namespace policyd
