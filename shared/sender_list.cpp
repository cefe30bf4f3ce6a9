#include "shared/sender_list.h"

#include <algorithm>

#include "shared/host_name.h"
#include "shared/setting_values.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr std::string_view kOwn = "own";
constexpr size_t kLongestAddress = 320;  // RFC 5321, 4.5.3.1: local part 64, '@', domain 255

Error no_sender(std::string_view entry, std::string_view reason) {
  return {quoted(entry).append(reason) + "; expected own, an address or a domain, e.g. own, example.com"};
}

Result<std::string> parse_entry(std::string_view text) {
  if (text.size() > kLongestAddress) return no_sender(text, " is longer than 320 octets");
  std::string entry = to_lower(text);
  if (entry == kOwn) return entry;
  const size_t at = entry.rfind('@');
  if (at == 0) entry.erase(0, 1);
  const std::string_view domain = at == 0 || at == std::string::npos ? entry : std::string_view(entry).substr(at + 1);
  const auto pattern = parse_domain_pattern(domain);
  if (!pattern) return no_sender(text, " is none: its domain is not fully qualified");
  if (at == 0 || at == std::string::npos) return pattern;
  if (pattern->starts_with('.')) return no_sender(text, " is none: its domain begins with a dot");
  return entry.substr(0, at + 1) + *pattern;
}

bool is_own(std::string_view sender, std::string_view login) {
  if (login.empty() || sender == login) return true;
  const std::string_view domain = domain_of(login);
  return !domain.empty() && domain_of(sender) == domain;
}

}  // namespace

Result<SenderList> SenderList::parse(std::string_view list) {
  SenderList senders;
  if (says_none(list)) return senders;
  for (const std::string& item : split_list(list)) {
    Result<std::string> entry = parse_entry(item);
    if (!entry) return entry.error();
    const auto& known = senders.entries_;
    if (std::find(known.begin(), known.end(), *entry) == known.end()) senders.entries_.push_back(*std::move(entry));
  }
  if (senders.entries_.empty()) return no_sender(trim(list), " is an empty list");
  return senders;
}

std::string SenderList::to_string() const { return join_list(entries_); }

bool SenderList::allows(std::string_view sender, std::string_view login) const {
  if (entries_.empty() || sender.empty()) return true;
  return std::any_of(entries_.begin(), entries_.end(), [&](const std::string& entry) {
    if (entry == kOwn) return is_own(sender, login);
    if (entry.find('@') != std::string::npos) return sender == entry;
    return matches_domain(entry, domain_of(sender));
  });
}

Result<std::string> parse_domain_pattern(std::string_view text) {
  std::string pattern = to_lower(without_trailing_dot(text));
  const std::string_view name = std::string_view(pattern).substr(pattern.starts_with('.') ? 1 : 0);
  const bool sound = !name.empty() && host_name_flaw(name).empty() && (is_qualified(name) || pattern != name);
  if (sound) return pattern;
  return Error{quoted(text) + " is not a domain; expected e.g. \"example.com\", or"
                              " \".example.com\" for those below it"};
}

bool matches_domain(std::string_view pattern, std::string_view domain) {
  if (pattern.starts_with('.')) return domain.size() > pattern.size() && domain.ends_with(pattern);
  return domain == pattern;
}

}  // namespace policyd
