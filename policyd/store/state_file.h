// The embedded store's file: blocks, locks, settings, counters, greylist, reports and the journal in SQLite, so that
// they outlive the process.
//
// Blocks, locks and settings are committed and on disk (synchronous=FULL) when put_/remove_ return; all else comes in
// batches. Every call may block on the disk, so after load() all of them run on libuv's thread pool, one at a time
// (memory.cpp sees to that). Opening fails with what is wrong and what to do: no rights, not a policyd database, locked
// by another policyd, damaged.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policyd/journal/rows.h"
#include "policyd/locks/lock_rules.h"
#include "policyd/report/figures.h"
#include "policyd/store/greylist_table.h"
#include "policyd/store/seen_elements.h"
#include "policyd/store/sliding_window.h"
#include "shared/block.h"
#include "shared/limits.h"
#include "shared/result.h"

namespace policyd {

class StateFile {
 public:
  // Opens or creates the file and takes the lock that keeps a second policyd out of it.
  static Result<std::unique_ptr<StateFile>> open(const std::string& path);
  virtual ~StateFile() = default;

  struct Contents {
    std::vector<Block> blocks;  // those that have not run out at `now`
    std::vector<std::pair<std::string, AccountSettings>> settings;
    std::vector<std::pair<std::string, Counters>> counters;
    std::vector<std::pair<std::string, SeenElements>> elements;
    std::vector<GreylistRecord> greylist;  // those that have not run out at `now`, in the order of their times
    std::vector<ReportRow> reports;        // those of the last kReportKept
    std::vector<std::pair<std::string, LockRecord>> locks;  // by account
    std::vector<std::string> warnings;  // rows that could not be understood and were left alone; tables that were gone
  };
  virtual Result<Contents> load(WallTime now) = 0;

  virtual Result<void> put_block(const Block& block) = 0;
  virtual Result<void> remove_block(const BlockTarget& target) = 0;
  virtual Result<void> put_setting(const std::string& account, const std::string& key, const std::string& value) = 0;
  virtual Result<void> remove_setting(const std::string& account, const std::string& key) = 0;

  // All that is known of the locks of one account, in place of what was; one transaction.
  virtual Result<void> put_locks(const std::string& account, const LockRecord& record) = 0;

  // One transaction; an account with no cells is forgotten.
  using CounterBatch = std::vector<std::pair<std::string, Counters::Cells>>;
  virtual Result<void> write_counters(const CounterBatch& batch) = 0;
  // The elements of accounts (seen_elements.h); no octets: forgotten.
  using ElementBatch = std::vector<std::pair<std::string, std::string>>;
  virtual Result<void> write_elements(const ElementBatch& batch) = 0;

  // One transaction.
  using GreylistBatch = std::vector<GreylistRecord>;
  virtual Result<void> write_greylist(const GreylistBatch& batch) = 0;

  // One transaction; each row takes the place of the one it was.
  virtual Result<void> write_reports(const std::vector<ReportRow>& batch) = 0;

  // One transaction: adds the rows, each once, and drops what is too old or too much.
  virtual Result<void> add_journal(const JournalBatch& batch, WallTime now) = 0;
  virtual Result<JournalPage> journal(const JournalRange& range) = 0;

  // Drops what has run out.
  virtual Result<void> sweep(WallTime now) = 0;
};

}  // namespace policyd
