#include "policyd/journal/redact.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "shared/address.h"
#include "shared/block.h"
#include "shared/generic_name.h"
#include "shared/limits.h"
#include "shared/rewritten_address.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr std::string_view kAddresses[] = {"sender", "recipient", "sasl_username", "sasl_sender"};
constexpr std::string_view kHostNames[] = {"client_name", "reverse_client_name", "helo_name"};
constexpr std::string_view kCertificate[] = {"ccert_subject", "ccert_fingerprint"};
constexpr size_t kLeastReplaced = 3;  // in free text: shorter ones stand for many a thing

constexpr std::string_view kLiteralTag = "ipv6:";

std::string* text_in(Json& json, std::string_view key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(key);
  return found == json.end() ? nullptr : found->get_ptr<std::string*>();
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
  if (text.ends_with('.') && text.find('@') != std::string_view::npos) text.remove_suffix(1);
  if (text.empty()) return {};
  const std::string_view domain = domain_of(text);
  const bool literal = domain.starts_with('[');
  return domain.empty() || literal ? hash(text) : hash(text) + "@" + std::string(domain);
}

std::string Redactor::name_or_client(std::string_view text) const {
  return IpAddress::parse(text) ? client(text) : name(text);
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

// The request's client, beside what stands for it in a field of its own.
void Redactor::look_for_client(const IpAddress& address, NamesInText& names) const {
  names.known.emplace_back(address.to_string(), client(address.to_string()));
  names.known.emplace_back(reversed(address), hash(reversed(address)));
}

// An address or login, in the forms that it may be known by, and its local part, which tells as much.
void Redactor::look_for_name(std::string_view text, NamesInText& names) const {
  const auto look_for = [&names](std::string_view from, std::string to) {
    if (from.size() >= kLeastReplaced) names.known.emplace_back(to_lower(from), std::move(to));
  };
  for (std::string_view form : {text, without_batv_tag(text)}) {
    look_for(form, name_or_client(form));
    const size_t at = form.rfind('@');
    if (at == std::string_view::npos) continue;
    if (form.ends_with('.')) look_for(form.substr(0, form.size() - 1), name(form));
    const std::string_view local = form.substr(0, at);
    look_for(local, hash(local));
    const size_t last = is_srs(local) ? local.rfind('=') : std::string_view::npos;  // "srs0=HASH=DAY=example.org=ann"
    if (last != std::string_view::npos) look_for(local.substr(last + 1), hash(local.substr(last + 1)));
  }
}

void Redactor::hide_request(Json& request, const std::optional<IpAddress>& address, NamesInText& names) const {
  const auto hide = [&](std::string_view key, const auto& hidden) {
    std::string* const text = text_in(request, key);
    if (!text || text->empty()) return;
    const std::string to = hidden(*text);
    if (text->size() >= kLeastReplaced && to != *text) names.known.emplace_back(to_lower(*text), to);
    *text = to;
  };
  if (address) look_for_client(*address, names);
  for (const auto key : kAddresses) {
    if (const std::string* const text = text_in(request, key)) look_for_name(*text, names);
    hide(key, [this](const std::string& text) { return name_or_client(text); });
  }
  for (const auto key : kHostNames) hide(key, [&](const std::string& text) { return host(text, address); });
  for (const auto key : kCertificate) hide(key, [this](const std::string& text) { return hash(text); });
  hide("client_address", [this](const std::string& text) { return client(text); });
}

void Redactor::hide_account(Json& in, NamesInText& names) const {
  std::string* const account = text_in(in, "account");
  if (!account) return;
  look_for_name(*account, names);
  *account = name_or_client(*account);
}

// By its type: a block covers more than what is written as its target is.
void Redactor::hide_target(Json& block, const std::optional<IpAddress>& address, NamesInText& names) const {
  std::string* const target = text_in(block, "target");
  const std::string* const type_name = text_in(block, "type");
  if (!target || !type_name) return;
  const auto type = parse_block_type(*type_name);
  const bool network = type == BlockType::client && target->find('/') != std::string::npos;
  if (type == BlockType::account || target->find('@') != std::string::npos) {
    look_for_name(*target, names);
    *target = name_or_client(*target);
  } else {
    *target = network ? client(*target) : host(*target, address);
  }
}

void Redactor::redact(Json& entry) const {
  NamesInText names{{}, [this](std::string_view text) { return name(text); }, {}};
  std::optional<IpAddress> address;
  if (entry.contains("request")) {
    const auto* written = text_in(entry["request"], "client_address");
    address = written ? IpAddress::parse(*written) : std::nullopt;
    hide_request(entry["request"], address, names);
  }
  hide_account(entry, names);
  if (entry.contains("lock")) hide_account(entry["lock"], names);
  if (entry.contains("block")) hide_target(entry["block"], address, names);
  if (auto* const known = entry.contains("greylist") ? text_in(entry["greylist"], "client") : nullptr) {
    if (known->find('/') != std::string::npos) {
      names.known.emplace_back(to_lower(*known), client(*known));
      *known = client(*known);
    }
  }
  redact_texts(entry, names);
}

void Redactor::redact_texts(Json& entry, NamesInText& names) const {
  const auto in = [&names](Json& json, std::string_view key) {
    if (std::string* const text = text_in(json, key)) *text = names.replaced_in(*text);
  };
  if (entry.contains("findings")) {
    for (Json& finding : entry["findings"]) in(finding, "detail");
  }
  // What people write may name any client; a list's answer is an address that tells nobody.
  const bool has_block = entry.contains("block") && entry["block"].is_object();
  if (!has_block) in(entry, "text");
  names.client = [this](std::string_view text) { return client(text); };
  if (has_block) {
    in(entry, "text");
    for (const char* key : {"description", "reply"}) in(entry["block"], key);
  }
  if (!entry.contains("lock")) return;
  const std::string* const reason = text_in(entry["lock"], "reason");
  if (!reason || !is_meter_name(*reason)) in(entry["lock"], "reason");
  in(entry["lock"], "evidence");
}

}  // namespace policyd
