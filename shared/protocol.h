// The policy delegation protocol: octets in, requests out; an action in, a reply out.
//
// Framing (SMTPD_POLICY_README, "Protocol description"): lines `name=value\n`, ended by an empty line; split at
// the FIRST '='; unknown attributes are ignored, their order is free, the first of a repeated one counts. The
// reply is `action=...\n\n`. Pure: no I/O, no clock.
//
// Bad input (a line without '=', an empty name, CRLF line ends, a NUL, a request type other than
// smtpd_access_policy, more than kMaximumRequest octets) is an Error: the framing cannot be trusted any more
// and the connection has to be closed.
#pragma once

#include <string>
#include <string_view>

#include "shared/request.h"
#include "shared/result.h"

namespace policyd {

inline constexpr size_t kMaximumRequest = 64 * 1024;

class RequestReader {
 public:
  enum class Step { complete, incomplete };

  // An idle reader owns no memory: before it is fed it may borrow that of a request whose time is over, and gives it
  // back when nothing is pending. So the few requests of a moment are read into memory that the processor still has at
  // hand.
  void borrow(Request& spent) { buffer_.swap(spent.octets_); buffer_.clear(); }
  void give_back(Request& spent);

  // Takes the octets that a read delivered, in any fragmentation.
  void feed(std::string_view octets);

  // The next request, if a whole one has arrived. Call until incomplete. `request` is overwritten only by
  // Step::complete. After an Error neither is to be used again.
  Result<Step> next(Request& request);

  // Octets of a request that has begun but not ended.
  [[nodiscard]] size_t pending() const { return buffer_.size() - begin_; }

 private:
  Result<bool> scan();
  Result<Step> split(Request& request);
  void move_out(Request& request, const char* before, size_t size);
  static Result<Step> check(Request& request);
  void forget();

  std::string buffer_;
  size_t begin_ = 0;       // where the next request starts in buffer_
  size_t line_begin_ = 0;  // where its latest line starts, while it has not come whole
  size_t scanned_ = 0;     // up to here an empty line has been looked for
};

// What of an action fits a reply, "PREPEND X-Header: value".
inline constexpr size_t kLongestAction = 510 - std::string_view("action=\n\n").size();

// "action=ACTION\n\n", never over 510 octets in all; control characters and all that is not printable ASCII
// become '?'. An empty or blank action, which Postfix would take as a permit, is a bug: aborts.
std::string format_reply(std::string_view action);

}  // namespace policyd
