#include "shared/protocol.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "shared/text.h"

namespace policyd {

namespace {

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

// A name as three words, to be compared with what a line begins with; the longest has 24 octets.
struct Pattern {
  static constexpr size_t kOctets = 24;
  std::array<uint64_t, 3> words{}, masks{};
};
constexpr std::array<Pattern, kAttributes> kPatterns = [] {
  std::array<Pattern, kAttributes> patterns;
  for (size_t attribute = 0; attribute < kAttributes; ++attribute) {
    const std::string_view name = kAttributeNames[attribute];
    for (size_t i = 0; i < name.size(); ++i) {
      const size_t shift = 8 * (std::endian::native == std::endian::little ? i % 8 : 7 - i % 8);
      patterns[attribute].words[i / 8] |= uint64_t{static_cast<uint8_t>(name[i])} << shift;
      patterns[attribute].masks[i / 8] |= uint64_t{0xff} << shift;
    }
  }
  return patterns;
}();

// Whether `text` begins with "NAME=".
bool begins_with(std::string_view text, size_t attribute) {
  const std::string_view name = kAttributeNames[attribute];
  if (text.size() <= Pattern::kOctets) {
    return text.size() > name.size() && text[name.size()] == '=' && text.starts_with(name);
  }
  std::array<uint64_t, 3> words;
  std::memcpy(words.data(), text.data(), sizeof words);
  const auto& [expected, masks] = kPatterns[attribute];
  const uint64_t differing = ((words[0] ^ expected[0]) & masks[0]) | ((words[1] ^ expected[1]) & masks[1]) |
                             ((words[2] ^ expected[2]) & masks[2]);
  return differing == 0 && text[name.size()] == '=';
}

Error bad_line(std::string_view line) {
  if (line == "\r") return Error{"lines end in CRLF; the policy protocol wants LF alone"};
  if (line.starts_with('=')) return Error{"an attribute without a name: " + quoted(line, 80)};
  return Error{"a line without '=': " + quoted(line, 80)};
}

}  // namespace

void RequestReader::give_back(Request& spent) {
  if (buffer_.capacity() > spent.octets_.capacity()) buffer_.swap(spent.octets_);
  std::string().swap(buffer_);  // an assignment would keep the memory
  forget();
}

void RequestReader::feed(std::string_view octets) { buffer_.append(octets); }

Result<RequestReader::Step> RequestReader::next(Request& request) {
  // Usually what has come is one whole request, never looked at; what comes in pieces is searched for its end first.
  const std::string_view fresh = std::string_view(buffer_).substr(begin_);
  if (scanned_ == begin_ && fresh.ends_with("\n\n")) return split(request);
  const auto whole = scan();
  if (!whole) return whole.error();
  if (*whole) return split(request);
  if (pending() > kMaximumRequest) return Error{"the request is larger than 64 KiB"};
  if (pending() == 0) forget();
  return Step::incomplete;
}

// Looks on for an empty line from where it stopped, so that no octet is looked at twice however small the pieces are.
Result<bool> RequestReader::scan() {
  while (scanned_ < buffer_.size()) {
    const size_t newline = buffer_.find('\n', scanned_);
    if (newline == std::string::npos) {
      scanned_ = buffer_.size();
      return false;
    }
    const std::string_view line(buffer_.data() + line_begin_, newline - line_begin_);
    scanned_ = line_begin_ = newline + 1;
    if (line == "\r") return bad_line(line);
    if (line.empty()) return true;
  }
  return false;
}

// Nothing is pending: the next request starts at the front, and a large buffer is given back.
void RequestReader::forget() {
  buffer_.clear();
  if (buffer_.capacity() > kKeepCapacity) buffer_.shrink_to_fit();
  begin_ = scanned_ = line_begin_ = 0;
}

// Reads the attributes of the next request, which is there whole, and moves it out of the buffer.
Result<RequestReader::Step> RequestReader::split(Request& request) {
  request.values_.fill({});
  std::array<bool, kAttributes> seen{};
  size_t expected = 0;  // Postfix sends its attributes in a fixed order
  const char* const begin = buffer_.data() + begin_;
  const char* const end = buffer_.data() + buffer_.size();
  const char* at = begin;
  if (*at == '\n') return Error{"a request without attributes"};
  while (*at != '\n') {
    const std::string_view rest(at, static_cast<size_t>(end - at));
    size_t attribute = expected;
    size_t equals = kAttributeNames[expected].size();
    if (!begins_with(rest, expected)) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      equals = line.find('=');
      if (equals == std::string_view::npos || equals == 0) return bad_line(line);
      attribute = find_attribute(line.substr(0, equals));
    }
    const char* const value = at + equals + 1;
    const auto* newline = static_cast<const char*>(std::memchr(value, '\n', static_cast<size_t>(end - value)));
    at = newline + 1;
    if (attribute == kAttributes) continue;
    expected = attribute + 1 < kAttributes ? attribute + 1 : 0;
    if (std::exchange(seen[attribute], true)) continue;
    request.values_[attribute] = std::string_view(value, static_cast<size_t>(newline - value));
  }
  const auto size = static_cast<size_t>(at + 1 - begin);
  if (size > kMaximumRequest) return Error{"the request is larger than 64 KiB"};
  if (std::memchr(begin, '\0', size)) return Error{"a NUL in the request"};
  move_out(request, begin, size);
  return check(request);
}

// Gives the first `size` pending octets to the request, whose values point to where they were, at `before`.
void RequestReader::move_out(Request& request, const char* before, size_t size) {
  if (begin_ == 0 && size == buffer_.size()) {
    request.octets_.swap(buffer_);  // the usual case: exactly one request has arrived
    forget();
  } else {
    request.octets_.assign(before, size);
    begin_ = scanned_ = line_begin_ = begin_ + size;
  }
  if (request.octets_.data() != before) {
    for (std::string_view& value : request.values_) {
      if (!value.data()) continue;
      value = std::string_view(request.octets_).substr(static_cast<size_t>(value.data() - before), value.size());
    }
  }
  if (begin_ >= kMaximumRequest) {
    buffer_.erase(0, begin_);
    begin_ = scanned_ = line_begin_ = 0;
  }
}

Result<RequestReader::Step> RequestReader::check(Request& request) {
  const std::string_view type = request.get(Attribute::request);
  if (!type.empty() && type != "smtpd_access_policy") {
    return Error{"request=" + quoted(type, 80) + " is not smtpd_access_policy"};
  }
  request.state_ = state_of(request.get(Attribute::protocol_state));
  return Step::complete;
}

std::string format_reply(std::string_view action) {
  if (action.find_first_not_of(" \t") == std::string_view::npos) std::abort();
  std::string reply(kReplyStart);
  for (const char c : action.substr(0, kLongestAction)) {
    reply.push_back(c >= 0x20 && c <= 0x7e ? c : '?');
  }
  reply.append(kReplyEnd);
  return reply;
}

}  // namespace policyd
