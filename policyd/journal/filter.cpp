// Which entries of the journal match: see search.h.
#include <algorithm>

#include "policyd/journal/search.h"
#include "shared/text.h"

namespace policyd {

namespace {

bool is_same(const std::string& found, const std::string& wanted, const Redactor* redactor) {
  return to_lower(found) == to_lower(wanted) || (redactor && found == redactor->name(wanted));
}

// "joe@example.com", or "example.com" for all of it.
bool is_of(const std::string& address, const std::string& wanted, const Redactor* redactor) {
  if (wanted.empty() || wanted.find('@') != std::string::npos) return is_same(address, wanted, redactor);
  return to_lower(domain_of(address)) == to_lower(wanted);
}

// Charged to it, or of that login, whatever that was charged to.
bool is_account(const Json& entry, const Json& request, const std::string& wanted, const Redactor* redactor) {
  if (is_same(text_at(entry, "account"), wanted, redactor)) return true;
  return !wanted.empty() && is_same(text_at(request, "sasl_username"), wanted, redactor);
}

bool is_client(const std::string& found, const Network& wanted, const Redactor* redactor) {
  if (const auto address = IpAddress::parse(found)) return wanted.contains(*address);
  return redactor && wanted.prefix == wanted.address.bits() && found == redactor->client(wanted.address.to_string());
}

bool has_found(const Json& findings, const std::string& check) {
  return std::any_of(findings.begin(), findings.end(), [&check](const Json& finding) {
    const std::string outcome = text_at(finding, "outcome"), name = text_at(finding, "check");
    return !outcome.empty() && (name == check || name + "." + outcome == check);
  });
}

}  // namespace

std::string text_at(const Json& json, std::string_view key) {
  if (!json.is_object()) return {};
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool JournalFilter::matches(const Json& entry) const {
  if (!entry.is_object()) return false;
  if (entry.contains("queued")) return held;
  const std::string action = text_at(entry, "action");
  if (action.empty() || !entry.contains("request") || !entry.contains("findings")) return false;
  if (held && action != action_name(Action::hold)) return false;
  const auto is_action = [&action](Action one) { return action == action_name(one); };
  if (!actions.empty() && std::none_of(actions.begin(), actions.end(), is_action)) return false;
  const Json& request = entry.at("request");
  if (account && !is_account(entry, request, *account, redactor.get())) return false;
  if (client && !is_client(text_at(request, "client_address"), *client, redactor.get())) return false;
  if (sender && !is_of(text_at(request, "sender"), *sender, redactor.get())) return false;
  if (recipient && !is_of(text_at(request, "recipient"), *recipient, redactor.get())) return false;
  return check.empty() || has_found(entry.at("findings"), check);
}

}  // namespace policyd
