#include "policyd/journal/search.h"

#include <algorithm>
#include <set>
#include <utility>

#include "policyd/async/offload.h"
#include "shared/shallow_json.h"

namespace policyd {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// A node's clock may be ahead of the store's by so much; and an entry may wait for the store for so long.
constexpr Milliseconds kAhead = minutes(5);
constexpr Milliseconds kLate = hours(24);

using Seen = std::set<std::pair<uint64_t, std::string>>;  // id and node

struct Matches {
  std::vector<std::string> entries;
  std::optional<JournalPlace> full;  // where the limit was reached
};

// On the thread pool; `seen` is this search's own.
Matches look_through(const std::vector<PlacedRow>& rows, const JournalFilter& filter, size_t limit, Seen& seen) {
  Matches matches;
  for (const auto& [place, row] : rows) {
    const WallTime time = row.id.time();
    if ((filter.since && time < *filter.since) || (filter.until && time > *filter.until)) continue;
    if (!filter.matches(parse_shallow_json<Json>(row.text))) continue;
    if (!seen.emplace(row.id.number(), row.node).second) continue;
    matches.entries.push_back(row.text);
    if (matches.entries.size() < limit) continue;
    matches.full = place;
    break;
  }
  return matches;
}

// Where rows of that time can stand.
JournalRange range_of(const JournalSearch& search) {
  JournalRange range;
  range.newest_first = search.newest_first;
  range.most = JournalSearch::kPage;
  if (search.filter.since) range.from = JournalPlace::begin_of(*search.filter.since - kAhead);
  if (search.filter.until) range.to = JournalPlace::begin_of(*search.filter.until + kLate);
  if (!search.after) return range;
  if (search.newest_first) {
    range.to = std::min(range.to, search.after->before());
  } else {
    range.from = std::max(range.from, search.after->next());
  }
  return range;
}

// Where the entry of an id is looked for, from its time, in this order.
struct Window {
  Milliseconds from, to;
};
constexpr Window kWindows[] = {
    {-seconds(5), seconds(5)}, {seconds(5), minutes(2)},  {-minutes(1), -seconds(5)},
    {minutes(2), hours(1)},    {-minutes(10), -minutes(1)}, {hours(1), hours(24)},
    {-hours(2), -minutes(10)}, {hours(24), hours(24 * 7)},
};

// A row that `is_it` tells, between two places; `looked` counts those that were looked at.
Task<Result<std::optional<PlacedRow>>> find_row(Store& store, JournalPlace from, JournalPlace to,
                                                std::function<bool(const JournalRow&)> is_it, size_t& looked) {
  JournalRange range{from, to, false, JournalSearch::kPage};
  while (looked < kMostLooked) {
    const auto reading = store.journal(range);
    const auto page = co_await reading;
    if (!page) co_return page.error();
    const auto found = std::find_if(page->rows.begin(), page->rows.end(),
                                    [&is_it](const PlacedRow& placed) { return is_it(placed.row); });
    if (found != page->rows.end()) co_return std::optional(*found);
    looked += JournalSearch::kPage;
    if (!page->more) break;
    range.from = page->last.next();
  }
  co_return std::optional<PlacedRow>();
}

// The line that tells the queue id of the message of `entry`.
Task<Result<std::string>> find_queue_id(Store& store, JournalPlace place, std::string node, std::string instance) {
  size_t looked = 0;
  std::string queue_id;
  const auto is_it = [&queue_id, node, instance](const JournalRow& row) {
    if (row.node != node || row.text.find("\"queued\"") == std::string::npos) return false;
    const Json line = parse_shallow_json<Json>(row.text);
    if (!line.is_object() || !line.contains("queued") || text_at(line["queued"], "instance") != instance) return false;
    queue_id = text_at(line["queued"], "queue_id");
    return true;
  };
  const JournalPlace until{place.at + static_cast<uint64_t>(Milliseconds(hours(1)).count()), 0};
  const auto finding = find_row(store, place.next(), until, is_it, looked);
  const auto found = co_await finding;
  if (!found) co_return found.error();
  co_return queue_id;
}

}  // namespace

Task<Result<JournalFound>> search_journal(uv_loop_s* loop, Store& store, JournalSearch search) {
  const auto filter = std::make_shared<const JournalFilter>(search.filter);
  const auto seen = std::make_shared<Seen>();
  JournalRange range = range_of(search);
  JournalFound found;
  if (search.after) found.first = found.last = *search.after;
  for (size_t looked = 0; looked < JournalSearch::kMostRows; looked += JournalSearch::kPage) {
    const auto reading = store.journal(range);
    auto page = co_await reading;
    if (!page) co_return page.error();
    if (looked == 0 && !page->rows.empty()) found.first = page->rows.front().place;
    const size_t wanted = search.limit - found.entries.size();
    Offload<Matches> looking(loop, [rows = std::make_shared<const std::vector<PlacedRow>>(std::move(page->rows)),
                                    filter, seen, wanted] { return look_through(*rows, *filter, wanted, *seen); });
    Matches matches = co_await looking;
    std::move(matches.entries.begin(), matches.entries.end(), std::back_inserter(found.entries));
    found.more = page->more || matches.full;
    if (matches.full) found.last = *matches.full;
    if (matches.full) break;
    if (page->last != JournalPlace{}) found.last = page->last;
    if (!page->more) break;
    (search.newest_first ? range.to : range.from) = search.newest_first ? page->last.before() : page->last.next();
  }
  co_return found;
}

Task<Result<std::optional<Json>>> find_in_journal(Store& store, JournalId id) {
  size_t looked = 0;
  for (const Window& window : kWindows) {
    const auto from = JournalPlace::begin_of(id.time() + window.from);
    const auto to = JournalPlace::begin_of(id.time() + window.to);
    const auto is_it = [id](const JournalRow& row) { return row.id == id; };
    const auto finding = find_row(store, from, to.before(), is_it, looked);
    const auto found = co_await finding;
    if (!found) co_return found.error();
    if (!*found) continue;
    Json entry = parse_shallow_json<Json>((*found)->row.text);
    if (!entry.is_object()) co_return Error{"the entry " + id.to_string() + " is damaged: it is no JSON"};
    const bool held = text_at(entry, "action") == action_name(Action::hold) && entry.contains("request");
    if (held && text_at(entry["request"], "queue_id").empty()) {
      const std::string instance = text_at(entry["request"], "instance");
      const auto asking = find_queue_id(store, (*found)->place, (*found)->row.node, instance);
      const auto queue_id = co_await asking;
      if (queue_id && !queue_id->empty()) entry["request"]["queue_id"] = *queue_id;
    }
    co_return std::optional(std::move(entry));
  }
  co_return std::optional<Json>();
}

}  // namespace policyd
