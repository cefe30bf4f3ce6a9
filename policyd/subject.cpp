#include "policyd/subject.h"

#include <algorithm>

#include "shared/text.h"

namespace policyd {

namespace {

std::string account_of(const std::optional<IpAddress>& client) {
  if (!client) return "unknown";
  if (!client->v6) return client->to_string();
  return client->masked(64).to_string() + "/64";
}

}  // namespace

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
  size_t total = 0;
  for (const auto part : parts) total += part.size();
  text_.reserve(total);  // so that the views stay valid
  for (size_t i = 0; i < std::size(parts); ++i) {
    const size_t at = text_.size();
    append_lower(text_, parts[i]);
    *views[i] = std::string_view(text_).substr(at);
  }
  names_.client = IpAddress::parse(request.client_address());
  names_.direction = direction_of(request, names_.client, config.traffic.networks);
  if (names_.direction == Direction::incoming) return;
  if (names_.login.empty()) client_account_ = account_of(names_.client);
  names_.account = names_.login.empty() ? std::string_view(client_account_) : names_.login;
}

}  // namespace policyd
