// The admin API's SPF: what check_host() of RFC 7208 says about a client, a sender and an EHLO name.
//
// The body holds `client` and, where given, `sender`, `helo` and `receiver`; the values are taken as they are, so
// that odd ones can be tried. Nothing is counted.
#include "policyd/spf/spf.h"

#include <chrono>

#include "policyd/admin/resources.h"
#include "policyd/spf/received_spf.h"
#include "shared/local_host.h"
#include "shared/text.h"

namespace policyd {

namespace {

// A text member; `initial` where it is missing. False: it is there, and no text.
bool read_text(const Json& json, const char* name, std::string& text) {
  const auto member = json.find(name);
  if (member == json.end() || member->is_null()) return true;
  if (member->is_string()) text = member->get<std::string>();
  return member->is_string();
}

Result<SpfQuery> read_query(const Json& json, const Clock& clock) {
  SpfQuery query;
  query.receiver = local_host_name();
  query.now = std::chrono::duration_cast<std::chrono::seconds>(clock.wall().time_since_epoch()).count();
  for (const auto& [name, value] : json.items()) {
    if (name != "client" && name != "sender" && name != "helo" && name != "receiver")
      return Error{policyd::quoted(name) + " is not known; there are client, sender, helo and receiver"};
  }
  std::string client;
  if (!read_text(json, "client", client) || !read_text(json, "sender", query.sender) ||
      !read_text(json, "helo", query.helo) || !read_text(json, "receiver", query.receiver))
    return Error{"client, sender, helo and receiver are strings"};
  const auto address = IpAddress::parse(client);
  if (!address) return Error{policyd::quoted(client) + " is not an IP address, as the client has to be"};
  query.client = *address;
  return query;
}

// Asks past the cache: whoever evaluates by hand has often just changed a record.
class FreshResolver final : public Resolver {
 public:
  explicit FreshResolver(Resolver& resolver) : resolver_(resolver) {}
  DnsLookup query(std::string_view name, DnsType type) override { return resolver_.query_afresh(name, type); }

 private:
  Resolver& resolver_;
};

}  // namespace

Task<ApiAnswer> check_spf_by_hand(const AdminContext& context, const ApiRequest& request) {
  const auto query = read_query(request.json, context.clock);
  if (!query) co_return refusal(400, query.error().message);
  FreshResolver resolver(context.resolver);
  const auto checking = check_spf(resolver, *query);
  const SpfOutcome outcome = co_await checking;
  Json body = {{"result", spf_result_name(outcome.result)},
               {"explanation", outcome.explanation},
               {"mechanism", outcome.mechanism},
               {"problem", outcome.problem},
               {"identity", outcome.helo ? "helo" : "mailfrom"},
               {"domain", outcome.domain},
               {"client", query->client.to_string()},
               {"received_spf", received_spf(*query, outcome)}};
  co_return answer(std::move(body));
}

}  // namespace policyd
