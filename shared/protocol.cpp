#include "shared/protocol.h"

#include <algorithm>
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

size_t find_attribute(std::string_view name) {
  const auto found = std::find(kAttributeNames.begin(), kAttributeNames.end(), name);
  return static_cast<size_t>(found - kAttributeNames.begin());
}

bool begins_with(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == '=' && line.starts_with(name);
}

}  // namespace

void RequestReader::feed(std::string_view octets) { buffer_.append(octets); }

Result<RequestReader::Step> RequestReader::next(Request& request) {
  while (scanned_ < buffer_.size()) {
    const void* found = memchr(buffer_.data() + scanned_, '\n', buffer_.size() - scanned_);
    if (!found) {
      scanned_ = buffer_.size();
      break;
    }
    const auto newline = static_cast<size_t>(static_cast<const char*>(found) - buffer_.data());
    const std::string_view line(buffer_.data() + line_begin_, newline - line_begin_);
    scanned_ = line_begin_ = newline + 1;
    if (newline - begin_ > kMaximumRequest) break;
    if (line == "\r") return Error{"lines end in CRLF; the policy protocol wants LF alone"};
    if (line.empty()) {
      if (line_ends_.empty()) return Error{"a request without attributes"};
      if (auto split_up = split(request); !split_up) return split_up.error();
      return Step::complete;
    }
    line_ends_.push_back(static_cast<uint32_t>(newline - begin_));
  }
  if (pending() > kMaximumRequest) return Error{"the request is larger than 64 KiB"};
  if (pending() == 0) forget();
  return Step::incomplete;
}

// Nothing is pending: the next request starts at the front, and a large buffer is given back.
void RequestReader::forget() {
  buffer_.clear();
  if (buffer_.capacity() > kKeepCapacity) buffer_.shrink_to_fit();
  begin_ = scanned_ = line_begin_ = 0;
}

// Moves the request, of which the empty line has just been read, out of the buffer, and points its attributes at their values.
Result<void> RequestReader::split(Request& request) {
  if (begin_ == 0 && scanned_ == buffer_.size()) {
    request.octets_.swap(buffer_);  // the usual case: exactly one request has arrived
    forget();
  } else {
    request.octets_.assign(buffer_, begin_, scanned_ - begin_);
    begin_ = scanned_;
    if (begin_ >= kMaximumRequest) {
      buffer_.erase(0, begin_);
      begin_ = scanned_ = line_begin_ = 0;
    }
  }
  const std::string_view text(request.octets_);
  if (text.find('\0') != std::string_view::npos) return Error{"a NUL in the request"};
  request.values_.fill({});
  std::array<bool, kAttributes> seen{};
  size_t expected = 0;  // Postfix sends its attributes in a fixed order
  size_t begin = 0;
  for (const uint32_t end : line_ends_) {
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    size_t attribute = expected;
    size_t equals = kAttributeNames[expected].size();
    if (!begins_with(line, kAttributeNames[expected])) {
      equals = line.find('=');
      if (equals == std::string_view::npos) return Error{"a line without '=': " + quoted(line, 80)};
      if (equals == 0) return Error{"an attribute without a name: " + quoted(line, 80)};
      attribute = find_attribute(line.substr(0, equals));
      if (attribute == kAttributes) continue;
    }
    expected = attribute + 1 < kAttributes ? attribute + 1 : 0;
    if (std::exchange(seen[attribute], true)) continue;
    request.values_[attribute] = line.substr(equals + 1);
  }
  line_ends_.clear();
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
