// A store that says what the test tells it to, and keeps what it was asked.
//
// It answers charges only: blocks and settings are for tests to write into the Mirror themselves.
#pragma once

#include <string>
#include <vector>

#include "policyd/store/store.h"
#include "tests/support/gate.h"

namespace policyd::test {

class FakeStore final : public Store {
 public:
  // A Charge with text of its own.
  struct Asked {
    Charge::Kind kind;
    std::string account, instance, recipient;
    int64_t recipients, bytes;
    Limits limits;
    bool ended, dry_run;
  };
  std::vector<Asked> asked;
  ChargeResult answer;  // to every charge
  Gate gate;            // every charge passes it; open

  FakeStore() { gate.open(); }

  // From now on nothing passes: over `limit`, free again after `retry_after`.
  void refuse(const Limit& limit, std::optional<Milliseconds> retry_after) {
    answer.passed = false;
    answer.limit = limit;
    answer.retry_after = retry_after;
  }

  Result<void> start() override { return {}; }
  Task<void> stop() override { co_return; }
  Task<ChargeResult> charge(const Charge& charge) override {
    asked.push_back({charge.kind, std::string(charge.account), std::string(charge.instance),
                     std::string(charge.recipient), charge.recipients, charge.bytes, *charge.limits, charge.ended,
                     charge.dry_run});
    auto passing = gate.pass();
    co_await passing;
    co_return answer;
  }
  Task<Result<void>> put_block(Block) override { co_return none(); }
  Task<Result<bool>> remove_block(BlockTarget) override { co_return none(); }
  Task<Result<void>> put_setting(std::string, std::string, std::string) override { co_return none(); }
  Task<Result<bool>> remove_setting(std::string, std::string) override { co_return none(); }
  Task<Result<AccountPage>> list_usage(size_t) override { co_return none(); }
  Task<Result<AccountUsage>> usage(std::string) override { co_return none(); }
  Task<Result<bool>> reset_usage(std::string) override { co_return none(); }
  Task<Result<std::vector<NodeInfo>>> nodes() override { co_return none(); }
  [[nodiscard]] StoreStatus status() const override { return {}; }

 private:
  static Error none() { return Error{"the fake store answers charges only"}; }
};

}  // namespace policyd::test
