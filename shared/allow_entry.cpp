#include "shared/allow_entry.h"

#include <algorithm>

#include "shared/host_name.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr size_t kLongestRecipient = 320;  // RFC 5321, 4.5.3.1: local part 64, '@', domain 255

bool looks_like_network(std::string_view text) {
  return text.find_first_of(":/") != std::string_view::npos ||
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_visible(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

}  // namespace

Result<std::string> parse_covering_domain(std::string_view text) {
  std::string_view name = without_trailing_dot(text);
  if (name.starts_with('.')) name.remove_prefix(1);
  const std::string_view flaw = host_name_flaw(name);
  if (flaw.empty()) return to_lower(name);
  return Error{quoted(text) + " " + std::string(flaw) +
               "; expected a domain such as \"example.com\", which covers what lies below it"};
}

Result<AllowedClient> AllowedClient::parse(std::string_view text) {
  if (looks_like_network(text)) {
    auto network = Network::parse(text);
    if (!network) return network.error();
    return AllowedClient{*network, {}};
  }
  auto name = parse_covering_domain(text);
  if (!name) return name.error();
  return AllowedClient{std::nullopt, *std::move(name)};
}

Result<std::string> parse_allowed_recipient(std::string_view text) {
  const auto bad = [text](std::string_view why) {
    return Error{quoted(text) + " " + std::string(why) +
                 "; expected an address such as \"abuse@example.com\", or a local part such as \"postmaster\""};
  };
  if (text.empty() || text.size() > kLongestRecipient) return bad("is not a recipient");
  if (!is_visible(text) || !is_utf8(text)) return bad("holds a space or a character that no address has");
  const size_t at = text.rfind('@');
  if (at == 0) return bad("has no local part");
  if (at == std::string_view::npos) return to_lower(text);
  const std::string_view domain = without_trailing_dot(text.substr(at + 1));
  if (!domain.starts_with('[')) {
    if (const std::string_view flaw = host_name_flaw(domain); !flaw.empty())
      return bad("has a domain that " + std::string(flaw));
  }
  return to_lower(text.substr(0, at + 1)) + to_lower(domain);
}

bool lies_within(std::string_view name, std::string_view domain) {
  if (!name.ends_with(domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

}  // namespace policyd
