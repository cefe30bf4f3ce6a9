// Questions to the DNS, as checks and SPF ask them.
//
// `auto lookup = resolver.query(name, DnsType::txt); const DnsAnswerPtr answer = co_await lookup;`. What is in the
// cache costs neither a suspension nor an allocation; look-ups of the same question share one query. Dropping a look-up
// that waits takes it off; the query goes on and fills the cache. Nothing here fails: what could not be found out is an
// answer that says so.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/address.h"
#include "shared/clock.h"

namespace policyd {

enum class DnsType : uint8_t { a, aaaa, mx, txt, ptr };

enum class DnsStatus : uint8_t {
  found,           // at least one record of the type
  no_domain,       // NXDOMAIN: the name does not exist (RFC 2308)
  no_data,         // the name exists, and has no record of the type
  server_failure,  // SERVFAIL, REFUSED, NOTIMP ...: the servers cannot tell
  timed_out,       // no server answered in time
  malformed,       // an answer that cannot be read
  bad_name,        // not asked: the DNS can have no such name (RFC 1035 sizes, bad UTF-8, no valid U-label)
  overloaded,      // not asked: too many questions are under way
};
inline constexpr size_t kDnsStatuses = 8;

struct MailExchanger {
  uint16_t preference = 0;
  std::string host;  // lower case, without the dot at its end; empty: "." (RFC 7505)
  bool operator==(const MailExchanger&) const = default;
};

struct DnsAnswer {
  DnsStatus status = DnsStatus::timed_out;
  std::vector<IpAddress> addresses;       // a, aaaa
  std::vector<std::string> texts;         // txt: the strings of each record joined (RFC 7208, 3.3); ptr: names in lower
                                          // case, without the dot at the end
  std::vector<MailExchanger> exchangers;  // mx, by preference
  [[nodiscard]] bool found() const { return status == DnsStatus::found; }
  // The name, or the record, does not exist, or cannot: that is knowledge.
  [[nodiscard]] bool empty() const {
    return status == DnsStatus::no_domain || status == DnsStatus::no_data || status == DnsStatus::bad_name;
  }
  // Nothing is known: neutral for the mail.
  [[nodiscard]] bool unknown() const { return !found() && !empty(); }
};
using DnsAnswerPtr = std::shared_ptr<const DnsAnswer>;

class DnsLookup;

// A question on its way; whoever asks it as well joins. Belongs to the resolver.
class DnsQuery {
 public:
  DnsQuery() = default;
  DnsQuery(const DnsQuery&) = delete;
  DnsQuery& operator=(const DnsQuery&) = delete;
  ~DnsQuery();  // look-ups that still wait are answered with `timed_out`, without being resumed

 protected:
  // Gives all who wait their answer, and how long it took, and lets them go on. They may ask, and drop, other look-ups
  // meanwhile.
  void answer(const DnsAnswerPtr& answer, Milliseconds took);
  [[nodiscard]] bool awaited() const { return first_ != nullptr; }

 private:
  friend class DnsLookup;
  DnsLookup* first_ = nullptr;  // of those who wait
};

// What query() gives: to be awaited once, by name. Cannot be copied or moved.
class [[nodiscard]] DnsLookup {
 public:
  explicit DnsLookup(DnsAnswerPtr answer) : answer_(std::move(answer)) {}
  explicit DnsLookup(DnsQuery& query);
  DnsLookup(const DnsLookup&) = delete;
  DnsLookup& operator=(const DnsLookup&) = delete;
  ~DnsLookup() { leave(); }

  bool await_ready() const noexcept { return answer_ != nullptr; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
  DnsAnswerPtr await_resume() noexcept { return std::move(answer_); }

  // How long the answer took from when it was first asked for; nothing where it was there already, or is not yet.
  [[nodiscard]] std::optional<Milliseconds> took() const noexcept { return took_; }

 private:
  friend class DnsQuery;
  void leave() noexcept;

  DnsAnswerPtr answer_;
  DnsQuery* query_ = nullptr;
  DnsLookup* next_ = nullptr;  // among those who wait for query_
  DnsLookup* previous_ = nullptr;
  std::coroutine_handle<> waiter_;
  std::optional<Milliseconds> took_;
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  // `name` without the dot at its end, in any case; UTF-8 labels are asked for as A-labels (RFC 5891). The answer comes
  // within [dns] timeout.
  virtual DnsLookup query(std::string_view name, DnsType type) = 0;
  // The same past the cache, which then takes the answer: for those who want to know how things are now. A resolver
  // without a cache need not tell the two apart.
  virtual DnsLookup query_afresh(std::string_view name, DnsType type) { return query(name, type); }
};

// "4.3.2.1.in-addr.arpa", "….ip6.arpa": where the PTR records of an address stand; and "4.3.2.1", reversed for a DNS
// list (RFC 5782).
std::string reverse_name(const IpAddress& address);
std::string reversed(const IpAddress& address);

}  // namespace policyd
