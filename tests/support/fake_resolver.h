// A resolver for tests: zones as text, no DNS.
//
// A zone is lines of "NAME TYPE VALUE": A, AAAA, MX ("10 mx.example.com"), TXT, PTR, CNAME; "NAME SERVFAIL [TYPE]",
// TIMEOUT, MALFORMED and OVERLOADED are answers for one type or for all. A TXT value is the rest of the line, or
// strings between double quotes that are joined; \xHH is an octet. A name with spaces stands between double quotes.
// "*.NAME" answers for every name below that has no line of its own. Names are compared without case. It answers at
// once, or where `later` is set when deliver() is called: what is asked meanwhile is asked once, and what has been
// answered is kept, as by a resolver with a cache. What the DNS can have no name for is a bad_name at once. asked()
// lists every question that went out.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/dns/resolver.h"

namespace policyd::test {

class FakeResolver final : public Resolver {
 public:
  FakeResolver() = default;
  explicit FakeResolver(std::string_view zone) { add(zone); }

  void add(std::string_view zone);

  DnsLookup query(std::string_view name, DnsType type) override;

  // From now on answers wait for deliver().
  void set_later(bool later) { later_ = later; }
  // Answers what has been asked until now, after `took`; false: nothing was waiting.
  bool deliver(Milliseconds took = Milliseconds{0});

  // "TXT example.com", in the order in which they went out.
  [[nodiscard]] const std::vector<std::string>& asked() const { return asked_; }
  // Forgets what was asked and answered.
  void forget();

  // Runs a task to its end, delivering round by round; `rounds`, where given, is set to how many there were.
  template <class T>
  T run(const Task<T>& task, int* rounds = nullptr) {
    int delivered = 0;
    for (task.start(); !task.done(); ++delivered) {
      if (!deliver()) throw std::logic_error("the task waits for what is no look-up");
    }
    if (rounds) *rounds = delivered;
    return task.result();
  }

 private:
  using Question = std::pair<DnsType, std::string>;
  struct Pending final : DnsQuery {
    using DnsQuery::answer;
  };

  void add_line(std::string_view line);
  // The name whose lines answer for `name`: itself, or a wildcard; empty: none.
  [[nodiscard]] std::string owner_of(const std::string& name) const;
  [[nodiscard]] DnsAnswerPtr answer_to(const Question& question) const;

  std::map<Question, DnsAnswer> records_;
  std::map<std::string, std::string> aliases_;
  std::map<std::string, bool> names_;  // true: has lines of its own; false: only names below it have
  std::map<std::string, DnsStatus> troubles_;
  std::map<Question, DnsAnswerPtr> cache_;
  std::map<Question, std::unique_ptr<Pending>> pending_;
  std::vector<std::string> asked_;
  bool later_ = false;
};

}  // namespace policyd::test
