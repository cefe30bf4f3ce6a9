#include "policyd/store/memory.h"

#include <utility>

#include "shared/log_line.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr Milliseconds kSweepPeriod{1'000};

// The settings without `key`; nothing where it was not set.
std::optional<AccountSettings> without(const AccountSettings& settings, std::string_view key) {
  AccountSettings rest;
  bool was_set = false;
  for (const auto& [name, value] : settings.to_map()) {
    if (name == key) {
      was_set = true;
    } else if (!rest.set(name, value)) {
      std::abort();  // set() does not read what to_map() writes
    }
  }
  return was_set ? std::optional(std::move(rest)) : std::nullopt;
}

bool unset(Mirror& mirror, const std::string& account, std::string_view key) {
  const AccountSettings* settings = mirror.settings(account);
  auto rest = settings ? without(*settings, key) : std::nullopt;
  if (!rest) return false;
  if (*rest == AccountSettings{}) {
    mirror.remove_settings(account);
  } else {
    mirror.put_settings(account, std::move(*rest));
  }
  return true;
}

}  // namespace

MemoryStore::MemoryStore(uv_loop_s* loop, const Clock& clock, Mirror& mirror, std::string path)
    : loop_(loop), clock_(clock), mirror_(mirror), path_(std::move(path)) {}

MemoryStore::~MemoryStore() = default;

Result<void> MemoryStore::start() {
  if (!path_.empty()) {
    if (const auto opened = open_file(); !opened) return opened.error();
    flush_timer_ = std::make_unique<Timer>(loop_, [this] { writer_->flush(); });
    flush_timer_->every(kFlushPeriod);
  }
  sweep_timer_ = std::make_unique<Timer>(loop_, [this] {
    ledger_.sweep(clock_.wall());
    mirror_.sweep();
    greylist_.sweep(clock_.wall());
    reports_.sweep(clock_.wall());
    sweep_locks();
  });
  sweep_timer_->every(kSweepPeriod);
  return {};
}

Result<void> MemoryStore::open_file() {
  auto file = StateFile::open(path_);
  if (!file) return file.error();
  auto contents = (*file)->load(clock_.wall());
  if (!contents) return contents.error();
  for (const std::string& warning : contents->warnings) log_warning("store: {}", warning);

  Mirror fresh(clock_);
  for (Block& block : contents->blocks) fresh.put_block(std::move(block));
  for (auto& [account, settings] : contents->settings) fresh.put_settings(account, std::move(settings));
  mirror_.replace_all(std::move(fresh));
  for (auto& [account, record] : contents->locks) restore_locks(std::move(account), std::move(record));
  for (auto& [account, counters] : contents->counters) ledger_.restore(std::move(account), std::move(counters));
  for (auto& [account, seen] : contents->elements) ledger_.restore(std::move(account), std::move(seen));
  for (GreylistRecord& record : contents->greylist) greylist_.restore(std::move(record));
  for (const ReportRow& row : contents->reports) reports_.add(row);
  ledger_.track_changes();
  greylist_.track_changes();
  reports_.track_changes();
  writer_ = std::make_unique<StateWriter>(loop_, clock_, std::move(*file),
                                          StateWriter::Tables{ledger_, greylist_, reports_});
  return {};
}

Task<void> MemoryStore::stop() {
  sweep_timer_.reset();
  flush_timer_.reset();
  if (!writer_) co_return;
  Task<void> writing_locks = write_locks_again();
  co_await writing_locks;
  Task<Result<void>> finish = writer_->finish();
  const Result<void> finished = co_await finish;
  if (!finished) {
    log_error("store: {}; counters, greylist and reports since the last write are lost", finished.error().message);
  }
  for (const std::string& account : unwritten_locks_) {
    log_error("store: what was last done to the locks of {} is lost", policyd::quoted(account));
  }
  writer_.reset();
}

Task<Result<bool>> MemoryStore::change(StateWriter::Work work, StateWriter::Effect effect) {
  if (!writer_) co_return effect();
  Task<Result<bool>> written = writer_->write(std::move(work), std::move(effect));
  co_return co_await written;
}

Task<ChargeResult> MemoryStore::charge(const Charge& charge) {
  if (const auto locked = locks_.find(charge.account); locked != locks_.end() && !charge.dry_run) {
    end_lock_of(locked->first);
  }
  co_return ledger_.charge(charge, *charge.limits, clock_.wall(), charge.signs);
}

Task<GreylistResult> MemoryStore::greylist(const GreylistAttempt& attempt) {
  co_return greylist_.attempt(attempt, clock_.wall());
}

Task<Result<void>> MemoryStore::put_block(Block block) {
  StateWriter::Work work = [block](StateFile& file) { return file.put_block(block); };
  StateWriter::Effect effect = [this, block] {
    mirror_.put_block(block);
    return true;
  };
  Task<Result<bool>> changed = change(std::move(work), std::move(effect));
  const Result<bool> done = co_await changed;
  if (!done) co_return done.error();
  co_return Result<void>();
}

Task<Result<bool>> MemoryStore::remove_block(BlockTarget target) {
  StateWriter::Work work = [target](StateFile& file) { return file.remove_block(target); };
  StateWriter::Effect effect = [this, target] {
    const bool was_there = mirror_.find(target) != nullptr;
    mirror_.remove_block(target);
    return was_there;
  };
  Task<Result<bool>> changed = change(std::move(work), std::move(effect));
  co_return co_await changed;
}

Task<Result<void>> MemoryStore::put_setting(std::string account, std::string key, std::string value) {
  AccountSettings unused;
  if (const auto valid = unused.set(key, value); !valid) co_return valid.error();
  StateWriter::Work work = [account, key, value](StateFile& file) { return file.put_setting(account, key, value); };
  StateWriter::Effect effect = [this, account, key, value] {
    const AccountSettings* before = mirror_.settings(account);
    AccountSettings settings = before ? *before : AccountSettings{};
    const bool set = settings.set(key, value).ok();
    mirror_.put_settings(account, std::move(settings));
    return set;
  };
  Task<Result<bool>> changed = change(std::move(work), std::move(effect));
  const Result<bool> done = co_await changed;
  if (!done) co_return done.error();
  co_return Result<void>();
}

Task<Result<bool>> MemoryStore::remove_setting(std::string account, std::string key) {
  StateWriter::Work work = [account, key](StateFile& file) { return file.remove_setting(account, key); };
  StateWriter::Effect effect = [this, account, key] { return unset(mirror_, account, key); };
  Task<Result<bool>> changed = change(std::move(work), std::move(effect));
  co_return co_await changed;
}

Task<Result<Store::AccountPage>> MemoryStore::list_usage(size_t limit) {
  co_return ledger_.list(limit, clock_.wall());
}

Task<Result<AccountUsage>> MemoryStore::usage(std::string account) {
  co_return ledger_.usage(account, clock_.wall());
}

Task<Result<bool>> MemoryStore::reset_usage(std::string account) { co_return ledger_.reset(account); }

Task<bool> MemoryStore::claim(std::string what, Milliseconds duration) {
  co_return claims_.claim(what, duration, clock_.wall());
}

Task<Result<void>> MemoryStore::add_report(ReportBatch batch) {
  for (const ReportRow& row : batch.rows) reports_.add(row);
  co_return Result<void>();
}

Task<Result<ReportHours>> MemoryStore::report(ReportKind kind, WallTime since) {
  co_return reports_.hours(kind, since);
}

Task<Result<void>> MemoryStore::add_journal(JournalBatch batch) {
  const WallTime now = clock_.wall();
  if (!writer_) {
    journal_.add(std::move(batch), now);
    co_return Result<void>();
  }
  StateWriter::Work work = [batch = std::make_shared<const JournalBatch>(std::move(batch)), now](StateFile& file) {
    return file.add_journal(*batch, now);
  };
  StateWriter::Effect effect = [] { return true; };
  Task<Result<bool>> written = writer_->write(std::move(work), std::move(effect));
  const Result<bool> done = co_await written;
  if (!done) co_return done.error();
  co_return Result<void>();
}

// Reading waits its turn among what is written: one job at a time.
Task<Result<JournalPage>> MemoryStore::journal(JournalRange range) {
  if (!writer_) co_return journal_.read(range);
  auto page = std::make_shared<Result<JournalPage>>(JournalPage());
  StateWriter::Work work = [page, range](StateFile& file) {
    *page = file.journal(range);
    return Result<void>();  // that it cannot be read does not mean that it cannot be written
  };
  StateWriter::Effect effect = [] { return true; };
  Task<Result<bool>> read = writer_->write(std::move(work), std::move(effect));
  const Result<bool> done = co_await read;
  if (!done) co_return done.error();
  co_return std::move(*page);
}

// What a node knows of itself the admin layer adds.
Task<Result<std::vector<NodeInfo>>> MemoryStore::nodes() {
  NodeInfo self;
  self.id = "local";
  self.seen = clock_.wall();
  std::vector<NodeInfo> nodes{self};
  co_return nodes;
}

StoreStatus MemoryStore::status() const {
  StoreStatus status;
  status.url = "memory:" + path_;
  status.detail = path_.empty() ? "embedded, until the process ends" : "embedded, state in " + path_;
  if (writer_ && !writer_->trouble().empty()) status.detail = writer_->trouble();
  return status;
}

}  // namespace policyd
