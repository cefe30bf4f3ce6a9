#include "shared/protocol.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "shared/text.h"

namespace policyd {

namespace {

constexpr size_t kMaximumReply = 510;
constexpr std::string_view kReplyStart = "action=";
constexpr std::string_view kReplyEnd = "\n\n";
// A buffer that grew beyond this is given back once it is empty: most connections are idle most of the time.
constexpr size_t kKeepCapacity = 4096;

constexpr std::pair<std::string_view, ProtocolState> kStates[] = {
    {"RCPT", ProtocolState::rcpt}, {"END-OF-MESSAGE", ProtocolState::end_of_message},
    {"DATA", ProtocolState::data}, {"MAIL", ProtocolState::mail},
    {"CONNECT", ProtocolState::connect}, {"EHLO", ProtocolState::ehlo},
    {"HELO", ProtocolState::helo}, {"VRFY", ProtocolState::vrfy},
    {"ETRN", ProtocolState::etrn},
};

ProtocolState state_of(std::string_view name) {
  for (const auto& [text, state] : kStates) {
    if (text == name) return state;
  }
  return ProtocolState::unknown;
}

// Postfix sends its attributes in a fixed order, so the search starts behind the last hit.
size_t find_attribute(std::string_view name, size_t hint) {
  for (size_t step = 0; step < kAttributes; ++step) {
    const size_t at = hint + step < kAttributes ? hint + step : hint + step - kAttributes;
    if (attribute_name(static_cast<Attribute>(at)) == name) return at;
  }
  return kAttributes;
}

}  // namespace

void RequestReader::feed(std::string_view octets) { buffer_.append(octets); }

Result<RequestReader::Step> RequestReader::next(Request& request) {
  // The two newlines that end a request may come in two reads.
  const size_t from = scanned_ > begin_ ? scanned_ - 1 : begin_;
  const void* end = memmem(buffer_.data() + from, buffer_.size() - from, "\n\n", 2);
  const size_t ends_at =
      end ? static_cast<size_t>(static_cast<const char*>(end) - buffer_.data()) : buffer_.size();
  if (ends_at - begin_ > kMaximumRequest) {
    return Error{"the request is larger than 64 KiB"};
  }
  if (!end) {
    scanned_ = buffer_.size();
    if (pending() > 0 && buffer_[begin_] == '\n') return Error{"a request without attributes"};
    if (buffer_.find("\n\r\n", from > begin_ ? from - 1 : begin_) != std::string::npos) {
      return Error{"lines end in CRLF; the policy protocol wants LF alone"};
    }
    if (begin_ == buffer_.size()) {
      buffer_.clear();
      if (buffer_.capacity() > kKeepCapacity) buffer_.shrink_to_fit();
      begin_ = scanned_ = 0;
    }
    return Step::incomplete;
  }
  const size_t length = ends_at + 1 - begin_;  // with the last line's newline
  auto split_up = split(request, length);
  if (!split_up) return split_up.error();
  return Step::complete;
}

// Moves the first `length` octets and the empty line from the buffer into the request, and points its attributes at them.
Result<void> RequestReader::split(Request& request, size_t length) {
  if (begin_ == 0 && length + 1 == buffer_.size()) {
    request.octets_.swap(buffer_);  // the usual case: exactly one request has arrived
    buffer_.clear();
  } else {
    request.octets_.assign(buffer_, begin_, length + 1);
    begin_ += length + 1;
    if (begin_ >= kMaximumRequest) {
      buffer_.erase(0, begin_);
      begin_ = 0;
    }
  }
  if (buffer_.capacity() > kKeepCapacity && buffer_.empty()) buffer_.shrink_to_fit();
  scanned_ = begin_;

  request.values_.fill({});
  std::array<bool, kAttributes> seen{};
  const std::string_view text(request.octets_.data(), length);
  if (text.find('\0') != std::string_view::npos) return Error{"a NUL in the request"};
  size_t hint = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t newline = text.find('\n', at);
    const std::string_view line = text.substr(at, newline - at);
    at = newline + 1;
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) return Error{"a line without '=': " + quoted(line, 80)};
    if (equals == 0) return Error{"an attribute without a name: " + quoted(line, 80)};
    const size_t attribute = find_attribute(line.substr(0, equals), hint);
    if (attribute == kAttributes) continue;
    hint = attribute + 1 < kAttributes ? attribute + 1 : 0;
    if (std::exchange(seen[attribute], true)) continue;
    request.values_[attribute] = line.substr(equals + 1);
  }
  const std::string_view type = request.get(Attribute::request);
  if (!type.empty() && type != "smtpd_access_policy") {
    return Error{"request=" + quoted(type, 80) + " is not smtpd_access_policy"};
  }
  request.state_ = state_of(request.get(Attribute::protocol_state));
  return {};
}

std::string format_reply(std::string_view action) {
  if (action.find_first_not_of(" \t") == std::string_view::npos) std::abort();
  constexpr size_t kRoom = kMaximumReply - kReplyStart.size() - kReplyEnd.size();
  std::string reply(kReplyStart);
  for (const char c : action.substr(0, kRoom)) {
    reply.push_back(c >= 0x20 && c <= 0x7e ? c : '?');
  }
  reply.append(kReplyEnd);
  return reply;
}

}  // namespace policyd
