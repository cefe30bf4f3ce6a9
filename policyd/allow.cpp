#include "policyd/allow.h"

#include <algorithm>

#include "shared/rewritten_address.h"
#include "shared/text.h"

namespace policyd {

namespace {

CheckSet set_of(const std::vector<std::string>& names, const std::vector<std::string_view>& checks) {
  CheckSet set;
  for (const std::string& name : names) {
    if (name == "all") return set.set();
    const auto found = std::find(checks.begin(), checks.end(), name);
    if (found != checks.end()) set.set(static_cast<size_t>(found - checks.begin()));
  }
  return set;
}

bool is_client(const AllowedClient& allowed, const BlockSubject& subject) {
  if (allowed.network) return subject.client && allowed.network->contains(*subject.client);
  return !subject.client_name.empty() && lies_within(subject.client_name, allowed.name);
}

// "postmaster" is the local part of any domain, and an address without one. A BATV tag is none of the recipient's.
bool is_recipient(std::string_view allowed, std::string_view recipient) {
  recipient = without_batv_tag(recipient);
  if (allowed.find('@') != std::string_view::npos) return recipient == allowed;
  return recipient.substr(0, recipient.rfind('@')) == allowed;
}

enum class Proof : uint8_t { none, wanted, given };

// Whether the sender's domain is one of the entry's, and whether the client's name proves it.
Proof sender_domain(const AllowEntry& entry, const BlockSubject& subject) {
  const std::string_view domain = domain_of(subject.sender);
  Proof proof = Proof::none;
  for (const std::string& allowed : entry.sender_domains) {
    if (!lies_within(domain, allowed)) continue;
    if (!subject.client_name.empty() && lies_within(subject.client_name, allowed)) return Proof::given;
    proof = Proof::wanted;
  }
  return proof;
}

}  // namespace

AllowList::AllowList(const std::vector<AllowEntry>& entries, const std::vector<std::string_view>& checks) {
  for (const AllowEntry& entry : entries) rules_.push_back({entry, set_of(entry.skip, checks)});
}

AllowList::Skips AllowList::of(const BlockSubject& subject) const {
  Skips skips;
  for (const auto& [entry, skipped] : rules_) {
    const bool holds =
        std::any_of(entry.clients.begin(), entry.clients.end(),
                    [&subject](const AllowedClient& client) { return is_client(client, subject); }) ||
        std::any_of(entry.recipients.begin(), entry.recipients.end(),
                    [&subject](const std::string& allowed) { return is_recipient(allowed, subject.recipient); });
    const Proof proof = holds ? Proof::given : sender_domain(entry, subject);
    if (proof == Proof::given) skips.now |= skipped;
    if (proof == Proof::wanted) skips.after_spf_pass |= skipped;
  }
  return skips;
}

}  // namespace policyd
