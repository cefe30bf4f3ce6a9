#include "policyd/store/keys.h"

namespace policyd {

std::string Keys::block(const BlockTarget& target) const {
  return blocks() + std::string(block_type_name(target.type)) + ":" + target.target;
}

void Keys::append_tagged(std::string& out, std::string_view kind, std::string_view account) const {
  out.append(prefix_).append(kind).append("{").append(account).append("}");
}

std::string Keys::tagged(std::string_view kind, std::string_view account) const {
  std::string key;
  append_tagged(key, kind, account);
  return key;
}

std::string Keys::account(std::string_view account) const { return tagged("account:", account); }
std::string Keys::rate(std::string_view account) const { return tagged("rate:", account); }
std::string Keys::lock(std::string_view account) const { return tagged("lock:", account); }
std::string Keys::unlocks(std::string_view account) const { return tagged("unlocks:", account); }
std::string Keys::history(std::string_view account) const { return tagged("history:", account); }

void Keys::append_rate(std::string& out, std::string_view account) const { append_tagged(out, "rate:", account); }

void Keys::append_message(std::string& out, std::string_view account, std::string_view instance) const {
  append_tagged(out, "message:", account);
  out.append(":").append(instance);
}

std::string Keys::grey(std::string_view client, std::string_view sender, std::string_view recipient) const {
  return grey_client(client).append(":").append(sender).append(">").append(recipient);
}

std::string Keys::report(ReportKind kind, WallTime hour) const {
  constexpr size_t kToTheHour = std::string_view("2026-11-21T10").size();
  return prefix_ + "{report}:" + std::string(report_kind_name(kind)) + ":" + format_time(hour).substr(0, kToTheHour);
}

std::string Keys::report_batch(std::string_view node) const { return prefix_ + "{report}:batch:" + std::string(node); }

std::optional<Result<BlockTarget>> Keys::parse_block(std::string_view key) const {
  const std::string start = blocks();
  if (!key.starts_with(start)) return std::nullopt;
  key.remove_prefix(start.size());
  const size_t colon = key.find(':');
  const auto type = colon == std::string_view::npos ? std::nullopt : parse_block_type(key.substr(0, colon));
  if (!type) {
    return Result<BlockTarget>(Error{"its type is not one of email, domain, ehlo, client, account, recipient"});
  }
  return BlockTarget::make(*type, key.substr(colon + 1));
}

std::optional<std::string> Keys::parse_tagged(std::string_view kind, std::string_view key) const {
  const std::string start = prefix_ + std::string(kind) + "{";
  if (!key.starts_with(start) || !key.ends_with('}')) return std::nullopt;
  return std::string(key.substr(start.size(), key.size() - start.size() - 1));
}

std::optional<std::string> Keys::parse_account(std::string_view key) const { return parse_tagged("account:", key); }
std::optional<std::string> Keys::parse_lock(std::string_view key) const { return parse_tagged("lock:", key); }
std::optional<std::string> Keys::parse_rate(std::string_view key) const { return parse_tagged("rate:", key); }

std::string Keys::escaped_prefix() const {
  std::string pattern;
  for (const char c : prefix_) {
    if (std::string_view("*?[]\\^-").find(c) != std::string_view::npos) pattern.push_back('\\');
    pattern.push_back(c);
  }
  return pattern;
}

}  // namespace policyd
