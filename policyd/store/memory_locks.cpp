// Locks in the embedded store: what happens to them happens in memory at once, and is on disk when the call returns.
//
// A file that cannot be written lifts no lock and makes none undone: memory goes on, and the file is brought up to date
// within a second of its being written again. Nor does one that stalls keep a lock from ending: a charge finds it over.

#include "policyd/store/memory.h"
#include "shared/text.h"

namespace policyd {

void MemoryStore::restore_locks(std::string account, LockRecord record) {
  forget_old(record, clock_.wall());
  if (record.lock) mirror_.put_lock(*record.lock);
  if (!record.empty()) locks_.insert_or_assign(std::move(account), std::move(record));
}

// If its time is over.
void MemoryStore::end_lock_of(const std::string& account) {
  auto over = policyd::end_lock(locks_[account], clock_.wall());
  if (!over) return;
  mirror_.remove_lock(account);
  ledger_.forget_signs(account);
  ended_locks_.push_back(*std::move(over));
}

Task<Result<void>> MemoryStore::write_locks(std::string account) {
  StateWriter::Work work = [account, record = locks_[account]](StateFile& file) {
    return file.put_locks(account, record);
  };
  unwritten_locks_.erase(account);
  Task<Result<bool>> changed = change(std::move(work), [] { return true; });
  const Result<bool> done = co_await changed;
  if (done) co_return Result<void>();
  unwritten_locks_.insert(account);
  co_return done.error();
}

// As long as they can be written.
Task<void> MemoryStore::write_locks_again() {
  for (bool writable = true; writable && !unwritten_locks_.empty();) {
    const Task<Result<void>> writing = write_locks(*unwritten_locks_.begin());
    const Result<void> written = co_await writing;
    writable = written.ok();
  }
}

Task<Result<LockOutcome>> MemoryStore::lock(LockRequest request) {
  const std::string account = request.account;
  end_lock_of(account);
  LockRecord& record = locks_[account];
  LockOutcome outcome;
  outcome.made = policyd::lock(record, request, clock_.wall());
  outcome.lock = *record.lock;
  if (!outcome.made) co_return outcome;
  mirror_.put_lock(outcome.lock);
  const Task<Result<void>> writing = write_locks(account);
  const Result<void> written = co_await writing;
  if (!written && !request.at_all_costs) {
    co_return Error{written.error().message + "; " + policyd::quoted(account) + " is locked all the same; "
                 "the file is told when it can be written"};
  }
  co_return outcome;
}

Task<Result<std::optional<Lock>>> MemoryStore::unlock(std::string account, std::string by) {
  end_lock_of(account);
  const std::optional<Lock> lifted = policyd::unlock(locks_[account], by, clock_.wall());
  mirror_.remove_lock(account);
  ledger_.forget_signs(account);
  const Task<Result<void>> writing = write_locks(account);
  const Result<void> written = co_await writing;
  if (!written) {
    co_return Error{written.error().message + "; " + policyd::quoted(account) + " is unlocked all the same; "
                 "the file is told when it can be written"};
  }
  co_return lifted;
}

// Before anything is waited for: a lock that is over for long and whose signs still count would be made anew.
Task<Result<std::vector<Lock>>> MemoryStore::end_locks() {
  for (const Lock& lock : mirror_.over_locks()) end_lock_of(lock.account);
  const Task<void> writing_again = write_locks_again();
  co_await writing_again;
  const std::vector<Lock> ended = std::exchange(ended_locks_, {});
  for (const Lock& lock : ended) {
    const Task<Result<void>> writing = write_locks(lock.account);
    co_await writing;  // what cannot be written is written later
  }
  co_return ended;
}

Task<Result<std::vector<LockEvent>>> MemoryStore::lock_history(std::string account) {
  const auto found = locks_.find(account);
  if (found == locks_.end()) co_return std::vector<LockEvent>();
  forget_old(found->second, clock_.wall());
  const auto& events = found->second.events;
  co_return std::vector<LockEvent>(events.rbegin(), events.rend());
}

void MemoryStore::sweep_locks() {
  for (auto entry = locks_.begin(); entry != locks_.end();) {
    forget_old(entry->second, clock_.wall());
    entry = entry->second.empty() && !unwritten_locks_.contains(entry->first) ? locks_.erase(entry) : std::next(entry);
  }
}

}  // namespace policyd
