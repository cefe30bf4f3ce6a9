// A resolver for tests whose zones change: what it says comes from the FakeResolver that was put in last.
//
// Nothing is remembered over a change. Look-ups under way stay with whom they were asked of, which is kept until the
// end.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/dns/resolver.h"
#include "tests/support/fake_resolver.h"

namespace policyd::test {

class ChangingResolver final : public Resolver {
 public:
  explicit ChangingResolver(std::string_view zone = {}) { change(zone); }

  void change(std::string_view zone) { resolvers_.emplace_back(zone); }
  FakeResolver& now() { return resolvers_.back(); }

  DnsLookup query(std::string_view name, DnsType type) override { return now().query(name, type); }
  DnsLookup query_afresh(std::string_view name, DnsType type) override {
    afresh_.emplace_back(name);
    return now().query(name, type);
  }
  // The names that were asked past the cache, since this was last called.
  std::vector<std::string> take_afresh() { return std::exchange(afresh_, {}); }

 private:
  std::list<FakeResolver> resolvers_;
  std::vector<std::string> afresh_;
};

}  // namespace policyd::test
