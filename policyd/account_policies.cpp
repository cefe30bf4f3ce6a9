#include "policyd/account_policies.h"

#include <algorithm>

namespace policyd {

namespace {

constexpr std::string_view kDefault = "default";

void append(Limits& all, const std::optional<Limits>& some) {
  if (some) all.insert(all.end(), some->begin(), some->end());
}

bool covers(const Network& wide, const Network& narrow) {
  return wide.prefix <= narrow.prefix && wide.contains(narrow.address);
}

}  // namespace

AccountPolicies::AccountPolicies(std::shared_ptr<const Config> config, const Mirror& mirror) : mirror_(mirror) {
  reconfigure(std::move(config));
}

void AccountPolicies::reconfigure(std::shared_ptr<const Config> config) {
  config_ = std::move(config);
  default_ = nullptr;
  networks_version_.reset();
}

std::shared_ptr<const AccountPolicy> AccountPolicies::of(std::string_view account) {
  if (!default_ || version_ != mirror_.settings_version()) {
    version_ = mirror_.settings_version();
    known_.clear();
    default_ = resolve(kDefault);
    const auto& overrides = mirror_.all_settings();
    const size_t overridden_default = overrides.contains(kDefault) ? 1 : 0;
    alike_ = config_->accounts.size() <= config_->accounts.count(kDefault) && overrides.size() == overridden_default;
  }
  if (alike_) return default_;
  if (const auto found = known_.find(account); found != known_.end()) return found->second;
  if (known_.size() >= kEntries) known_.clear();
  return known_.emplace(account, resolve(account)).first->second;
}

std::vector<AccountPolicies::Layer> AccountPolicies::layers(std::string_view account) const {
  std::vector<Layer> all;
  const auto add = [&](std::string_view name) {
    if (const auto* settings = mirror_.settings(name)) all.push_back({name, true, settings});
    if (const auto found = config_->accounts.find(name); found != config_->accounts.end()) {
      all.push_back({found->first, false, &found->second});
    }
  };
  add(account);
  const std::string_view domain = domain_of(account);
  if (!domain.empty() && domain != kDefault) add(domain);
  if (const auto client = domain.empty() ? Network::parse(account) : Error{}) {
    for (const NamedNetwork& each : networks()) {
      if (each.name != account && covers(each.network, *client)) add(each.name);
    }
  }
  if (account != kDefault) add(kDefault);
  return all;
}

const std::vector<AccountPolicies::NamedNetwork>& AccountPolicies::networks() const {
  if (networks_version_ == mirror_.settings_version()) return networks_;
  networks_version_ = mirror_.settings_version();
  networks_.clear();
  const auto add = [this](const std::string& name) {
    if (const auto network = Network::parse(name)) networks_.push_back({*network, name});
  };
  for (const auto& each : config_->accounts) add(each.first);
  for (const auto& each : mirror_.all_settings()) {
    if (!config_->accounts.contains(each.first)) add(each.first);
  }
  std::stable_sort(networks_.begin(), networks_.end(), [](const NamedNetwork& left, const NamedNetwork& right) {
    return left.network.prefix > right.network.prefix;
  });
  return networks_;
}

std::shared_ptr<const AccountPolicy> AccountPolicies::resolve(std::string_view account) const {
  auto policy = std::make_shared<AccountPolicy>();
  for (const Layer& layer : layers(account)) policy->settings.inherit(*layer.settings);
  append(policy->limits, policy->settings.messages);
  append(policy->limits, policy->settings.recipients);
  append(policy->limits, policy->settings.bytes);
  const AccountSettings& settings = policy->settings;
  for (const auto& some : {settings.distinct_recipients, settings.client_networks, settings.invalid_recipients,
                           settings.spam, settings.limit_hits}) {
    append(policy->signs, some);
  }
  const auto counts = [](const std::optional<Limits>& some) { return some && !some->empty(); };
  policy->counts_networks = counts(settings.client_networks);
  policy->counts_invalid = counts(settings.invalid_recipients);
  policy->counts_spam = counts(settings.spam);
  policy->counts_hits = counts(settings.limit_hits);
  policy->on_limit = policy->settings.on_limit.value_or(OnLimit::defer);
  policy->max_size = policy->settings.max_size.value_or(0);
  policy->max_recipients = policy->settings.max_recipients_per_message.value_or(0);
  policy->sender_must_exist = policy->settings.sender_must_exist.value_or(false);
  policy->block_spam = policy->settings.block_outgoing_spam.value_or(true);
  policy->auto_lock = policy->settings.auto_lock.value_or(true);
  policy->lock_time = policy->settings.lock_time.value_or(std::chrono::hours(1));
  policy->max_unlocks = policy->settings.max_unlocks.value_or(3);
  return policy;
}

}  // namespace policyd
