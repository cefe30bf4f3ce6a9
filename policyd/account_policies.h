// Which settings are in force for an account: each key from the nearest place that sets it.
//
// account, then its domain, then "default"; an account that is a client's address or network has the networks around
// it in place of the domain, the longest prefix first. In each the store's override (Redis, policyctl) goes before the
// file.
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
  Limits signs;                        // those of signs
  bool counts_networks = false;        // of the signs: client_networks, invalid_recipients, spam
  bool counts_invalid = false;
  bool counts_spam = false;
  bool counts_hits = false;
  OnLimit on_limit = OnLimit::defer;
  int64_t max_size = 0;        // octets; 0: no bound
  int64_t max_recipients = 0;  // of a message; 0: no bound
  bool sender_must_exist = false;
  bool block_spam = true;
  bool auto_lock = true;
  Milliseconds lock_time{};
  int64_t max_unlocks = 0;
};

class AccountPolicies {
 public:
  AccountPolicies(std::shared_ptr<const Config> config, const Mirror& mirror);

  std::shared_ptr<const AccountPolicy> of(std::string_view account);
  void reconfigure(std::shared_ptr<const Config> config);

  // The places that are asked, nearest first. Names are views into `account`.
  struct Layer {
    std::string_view name;      // "joe@example.com", "example.com", "192.0.2.0/24", "default"
    bool from_store = false;
    const AccountSettings* settings;
  };
  [[nodiscard]] std::vector<Layer> layers(std::string_view account) const;

 private:
  struct NamedNetwork {
    Network network;
    std::string name;
  };
  [[nodiscard]] std::shared_ptr<const AccountPolicy> resolve(std::string_view account) const;
  [[nodiscard]] const std::vector<NamedNetwork>& networks() const;

  static constexpr size_t kEntries = 64 * 1024;
  std::shared_ptr<const Config> config_;
  const Mirror& mirror_;
  uint64_t version_ = 0;  // of the mirror's settings that known_ was worked out from
  mutable std::optional<uint64_t> networks_version_;  // the same of networks_
  mutable std::vector<NamedNetwork> networks_;        // that have settings, the longest prefix first
  bool alike_ = false;    // no account and no domain has settings of its own: all have default_
  std::shared_ptr<const AccountPolicy> default_;
  std::unordered_map<std::string, std::shared_ptr<const AccountPolicy>, StringHash, std::equal_to<>> known_;
};

}  // namespace policyd
