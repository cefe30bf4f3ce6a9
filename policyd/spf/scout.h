// Looks ahead: asks for what the terms of a record will need while an earlier term still waits.
//
// Terms are evaluated one after the other; without looking ahead a record of five terms would take five round trips.
// A scout only fills the resolver's cache: it decides nothing, and counts for nothing. It asks for no more than the
// evaluation might: the first ten terms, up to one that is known to match, and ten names of an MX or PTR.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/dns/resolver.h"
#include "policyd/spf/macro.h"
#include "policyd/spf/record.h"

namespace policyd {

class SpfScout {
 public:
  // `resolver` and what `values` points to outlive the scout; dropping the scout ends what it waits for.
  SpfScout(Resolver& resolver, const MacroValues& values) : resolver_(resolver), values_(values) {}
  SpfScout(const SpfScout&) = delete;
  SpfScout& operator=(const SpfScout&) = delete;

  // Asks for what these terms need, and `redirect` after them, evaluated for `domain`; for at most `most` terms since
  // the scout was made. Nothing of them is kept.
  void survey(std::span<const SpfDirective> directives, std::string_view redirect, std::string_view domain, int most);

 private:
  void look_at(std::span<const SpfDirective> directives, std::string_view redirect, std::string_view domain);
  void visit(const SpfDirective& directive, std::string_view domain);
  void ask(const std::string& name, DnsType type);
  void ask_address(const std::string& host);
  Task<void> ask_hosts(std::string name, DnsType type);
  Task<void> read_record(std::string domain);
  void keep(Task<void> task);

  Resolver& resolver_;
  MacroValues values_;
  int terms_ = 0;
  int most_ = 0;
  std::vector<Task<void>> waiting_;
};

}  // namespace policyd
