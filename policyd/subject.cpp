#include "policyd/subject.h"

#include <algorithm>

#include "shared/charged_name.h"
#include "shared/client_network.h"
#include "shared/text.h"

namespace policyd {

namespace {

std::string account_of(const std::optional<IpAddress>& client) {
  return client ? client_account(*client) : "unknown";
}

// A login without a domain stands for itself.
std::string_view domain_or_all_of(std::string_view login) {
  const std::string_view domain = domain_of(login);
  return domain.empty() ? login : domain;
}

// The name that `name` is charged under; `into` has it where it is another.
std::string_view cut(std::string_view name, std::string& into) {
  if (name.size() <= kLongestAccountName) return name;
  return into = charged_name(name);
}

}  // namespace

std::optional<std::string> charged_account(std::string_view account, const Config& config) {
  if (config.traffic.account == "domain") return std::string(domain_or_all_of(account));
  if (config.traffic.account == "login") return std::string(account);
  const auto network = Network::parse(account);
  if (!network || network->prefix < client_prefix(network->address)) return std::nullopt;
  return client_network(network->address);
}

Direction direction_of(const Request& request, const std::optional<IpAddress>& client,
                       const std::vector<Network>& networks) {
  const std::string_view context = request.get(Attribute::policy_context);
  if (context == "outgoing") return Direction::outgoing;
  if (context == "incoming") return Direction::incoming;
  if (!request.sasl_username().empty()) return Direction::outgoing;
  const bool ours = client && std::any_of(networks.begin(), networks.end(),
                                          [&client](const Network& network) { return network.contains(*client); });
  return ours ? Direction::outgoing : Direction::incoming;
}

Subject::Subject(const Request& request, const Config& config) {
  const std::string_view name = request.get(Attribute::client_name);
  const std::string_view parts[] = {request.sender(), request.sasl_username(), request.helo_name(),
                                    name == "unknown" ? std::string_view() : name, request.recipient()};
  std::string_view* const views[] = {&names_.sender, &names_.login, &names_.ehlo, &names_.client_name,
                                     &names_.recipient};
  // Most names come in lower case: those are used where they stand in the request.
  size_t to_lower = 0;
  for (size_t i = 0; i < std::size(parts); ++i) {
    *views[i] = parts[i];
    if (has_capitals(parts[i])) to_lower += parts[i].size();
  }
  if (to_lower > 0) {
    text_.reserve(to_lower);  // so that the views stay valid
    for (std::string_view* const view : views) {
      if (!has_capitals(*view)) continue;
      const size_t at = text_.size();
      append_lower(text_, *view);
      *view = std::string_view(text_).substr(at);
    }
  }
  names_.client = IpAddress::parse(request.client_address());
  names_.direction = direction_of(request, names_.client, config.traffic.networks);
  if (names_.direction == Direction::outgoing) set_accounts(config);
}

void Subject::set_accounts(const Config& config) {
  if (names_.login.empty()) client_account_ = account_of(names_.client);
  const std::string_view own = names_.login.empty() ? std::string_view(client_account_) : names_.login;
  names_.account = cut(own, cut_own_);
  account_ = names_.account;
  if (config.traffic.account == "domain") account_ = cut(domain_or_all_of(own), cut_domain_);
  if (config.traffic.account == "network" && names_.client) account_ = network_ = client_network(*names_.client);
}

}  // namespace policyd
