#include "policyd/journal/redact.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "shared/address.h"
#include "shared/generic_name.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr std::string_view kAddresses[] = {"sender", "recipient", "sasl_username", "sasl_sender"};
constexpr std::string_view kHostNames[] = {"client_name", "reverse_client_name", "helo_name"};
constexpr std::string_view kCertificate[] = {"ccert_subject", "ccert_fingerprint"};
constexpr size_t kLeastReplaced = 3;  // shorter ones stand in many a word

constexpr std::string_view kLiteralTag = "ipv6:";

std::string* text_in(Json& json, std::string_view key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(key);
  return found == json.end() ? nullptr : found->get_ptr<std::string*>();
}

// In place of `from`, in lower case, as a whole word and in any case.
void replace_word(std::string& text, const std::string& from, const std::string& to) {
  std::string lower = to_lower(text);
  for (size_t at = 0; (at = lower.find(from, at)) != std::string::npos;) {
    const size_t end = at + from.size();
    const bool whole = (at == 0 || !is_alphanumeric(lower[at - 1])) &&
                       (end == lower.size() || !is_alphanumeric(lower[end]));
    if (whole) {
      text.replace(at, from.size(), to);
      lower.replace(at, from.size(), to);
    }
    at += whole ? to.size() : 1;
  }
}

void replace_all(Json& json, const std::vector<std::pair<std::string, std::string>>& replacements) {
  if (auto* text = json.get_ptr<std::string*>()) {
    for (const auto& [from, to] : replacements) replace_word(*text, from, to);
  }
  if (!json.is_structured()) return;
  for (auto& member : json) replace_all(member, replacements);
}

// "7.2.0.192" for 192.0.2.7, as it stands in names of the DNS; of IPv6 its nibbles.
std::string reversed(const IpAddress& address) {
  std::string name;
  for (int i = address.v6 ? 15 : 3; i >= 0; --i) {
    const unsigned octet = address.octets[static_cast<size_t>(i)];
    name += name.empty() ? "" : ".";
    name += address.v6 ? fmt::format("{:x}.{:x}", octet & 15, octet >> 4) : std::to_string(octet);
  }
  return name;
}

}  // namespace

Redactor::Redactor(std::string_view key) {
  constexpr SipKey kDerivation{0x706f6c6963796420, 0x6a6f75726e616c20};  // "policyd journal "
  const SipDigest digest = siphash(kDerivation, key);
  key_ = {digest.low, digest.high};
}

std::string Redactor::hash(std::string_view text) const {
  return fmt::format("h:{:016x}", siphash(key_, to_lower(text)).low);
}

std::string Redactor::name(std::string_view text) const {
  if (text.empty()) return {};
  const std::string_view domain = domain_of(text);
  return domain.empty() ? hash(text) : hash(text) + "@" + std::string(domain);
}

std::string Redactor::client(std::string_view address) const {
  if (address.empty()) return {};
  const auto parsed = IpAddress::parse(address);
  return hash(parsed ? parsed->to_string() : address);
}

// A name that is made of the client's address tells it; what is left of it is the provider.
std::string Redactor::host(const std::string& text, const std::optional<IpAddress>& address) const {
  std::string_view inner = text;
  if (text.starts_with('[') && text.ends_with(']')) inner = inner.substr(1, inner.size() - 2);
  if (to_lower(inner).starts_with(kLiteralTag)) inner.remove_prefix(kLiteralTag.size());
  if (IpAddress::parse(inner)) return client(inner);
  if (!address || !is_generic_name(text, *address)) return text;
  const size_t last = text.rfind('.');
  const size_t before = last == 0 || last == std::string::npos ? std::string::npos : text.rfind('.', last - 1);
  return before == std::string::npos ? hash(text) : hash(text) + text.substr(before);
}

// The names of the request, each hidden where it stands alone; the result: what to look for in texts.
Redactor::Replacements Redactor::hide_names(Json& entry) const {
  Replacements replacements;
  const auto hide = [&replacements](Json& in, std::string_view key, const auto& hidden) {
    std::string* const text = text_in(in, key);
    if (!text || text->empty()) return;
    const std::string to = hidden(*text);
    if (text->size() >= kLeastReplaced && to != *text) replacements.emplace_back(to_lower(*text), to);
    *text = to;
  };
  const auto as_client = [this](const std::string& text) { return client(text); };
  const auto as_name = [this](const std::string& text) { return IpAddress::parse(text) ? client(text) : name(text); };
  if (entry.contains("request")) {
    Json& request = entry["request"];
    const auto* written = text_in(request, "client_address");
    const auto address = written ? IpAddress::parse(*written) : std::nullopt;
    if (address) {
      replacements.emplace_back(to_lower(address->to_string()), client(address->to_string()));
      replacements.emplace_back(reversed(*address), hash(reversed(*address)));
    }
    for (const auto key : kAddresses) hide(request, key, as_name);
    for (const auto key : kHostNames) hide(request, key, [&](const std::string& text) { return host(text, address); });
    for (const auto key : kCertificate) hide(request, key, [this](const std::string& text) { return hash(text); });
    hide(request, "client_address", as_client);
  }
  hide(entry, "account", as_name);
  return replacements;
}

void Redactor::redact(Json& entry) const {
  Replacements replacements = hide_names(entry);
  if (entry.contains("greylist")) {
    auto* const known = text_in(entry["greylist"], "client");
    if (known && known->find('/') != std::string::npos) *known = client(*known);
  }
  std::stable_sort(replacements.begin(), replacements.end(),
                   [](const auto& one, const auto& other) { return one.first.size() > other.first.size(); });
  for (const char* key : {"text", "findings", "block"}) {
    if (entry.contains(key)) replace_all(entry[key], replacements);
  }
}

}  // namespace policyd
