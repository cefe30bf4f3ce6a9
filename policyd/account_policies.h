// Which settings are in force for an account: each key from the nearest place that sets it.
//
// account, then its domain, then "default"; in each the store's override (Redis, policyctl) goes before the file.
// Worked out once per account and kept until the configuration or an override changes; bounded.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "policyd/store/mirror.h"
#include "shared/config.h"
#include "shared/limits.h"

namespace policyd {

struct AccountPolicy {
  AccountSettings settings;
  Limits limits;                       // messages, recipients and bytes in one list
  OnLimit on_limit = OnLimit::defer;
};

class AccountPolicies {
 public:
  AccountPolicies(std::shared_ptr<const Config> config, const Mirror& mirror);

  std::shared_ptr<const AccountPolicy> of(std::string_view account);
  void reconfigure(std::shared_ptr<const Config> config);

  // The places that are asked, nearest first. Names are views into `account`.
  struct Layer {
    std::string_view name;      // "joe@example.com", "example.com", "default"
    bool from_store = false;
    const AccountSettings* settings;
  };
  [[nodiscard]] std::vector<Layer> layers(std::string_view account) const;

 private:
  [[nodiscard]] std::shared_ptr<const AccountPolicy> resolve(std::string_view account) const;

  static constexpr size_t kEntries = 64 * 1024;
  std::shared_ptr<const Config> config_;
  const Mirror& mirror_;
  uint64_t version_ = 0;  // of the mirror's settings that known_ was worked out from
  bool alike_ = false;    // no account and no domain has settings of its own: all have default_
  std::shared_ptr<const AccountPolicy> default_;
  std::unordered_map<std::string, std::shared_ptr<const AccountPolicy>, StringHash, std::equal_to<>> known_;
};

}  // namespace policyd
