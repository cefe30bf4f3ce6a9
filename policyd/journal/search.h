// Looks through the journal: for what matches, page by page, or for one entry by its id.
//
// Rows are read from the store a page at a time, and looked into on the thread pool: neither the loop nor the memory
// is taken for more than a page. A search ends after `limit` matches or kMostRows rows, whichever comes first, and says
// where to go on. An Error is the store's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policyd/admin/json.h"
#include "policyd/async/task.h"
#include "policyd/journal/redact.h"
#include "policyd/journal/rows.h"
#include "policyd/store/store.h"
#include "policyd/verdict.h"
#include "shared/address.h"

struct uv_loop_s;

namespace policyd {

// A member of JSON that anybody may have written; empty where there is no such text.
std::string text_at(const Json& json, std::string_view key);

// Which entries are wanted: those that meet all that is given. What is asked for is found in entries that were
// redacted too, where there is the key.
struct JournalFilter {
  std::optional<WallTime> since, until;  // the time of the decision
  std::optional<std::string> account;    // in lower case: what was charged, or the login; empty: nothing was charged
  std::optional<Network> client;
  std::optional<std::string> sender, recipient;  // an address, or a domain; empty: the null sender
  std::vector<Action> actions;                   // empty: any
  std::string check;                             // "dnsbl" or "spf.fail": which found something; empty: any
  bool held = false;                             // what was held, and the lines that tell queue ids
  std::shared_ptr<const Redactor> redactor;      // may be null

  // `entry` is one that entry.h makes.
  [[nodiscard]] bool matches(const Json& entry) const;
};

struct JournalSearch {
  static constexpr size_t kPage = 250;       // rows
  static constexpr size_t kMostRows = 10'000;

  JournalFilter filter;
  bool newest_first = false;
  std::optional<JournalPlace> after;  // going on behind it
  size_t limit = 0;
};

struct JournalFound {
  std::vector<std::string> entries;  // JSON
  JournalPlace first{};  // of the rows that were looked at
  JournalPlace last{};   // after which to go on
  bool more = false;
};

Task<Result<JournalFound>> search_journal(uv_loop_s* loop, Store& store, JournalSearch search);

// The entry of that id, with its queue id where one was told later. It is looked for around its time first, as clocks
// differ and rows may come late, then further away; of more than kMostLooked rows none are looked at.
inline constexpr size_t kMostLooked = 200'000;
Task<Result<std::optional<Json>>> find_in_journal(Store& store, JournalId id);

}  // namespace policyd
