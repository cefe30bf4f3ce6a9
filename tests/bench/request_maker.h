// Makes policy requests as Postfix 3.7 sends them, at next to no cost: a text is laid out once, and
// for each request only digits of fixed width are written over.
//
// Each request is the RCPT of a message of its own: its `instance` never comes again, within a
// process or between two. The accounts take turns in a scattered order, each exactly once in a
// round. Nothing fails.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace policyd::bench {

enum class Profile : uint8_t {
  outgoing,  // a client that has logged in, all attributes
  incoming,  // a stranger, all attributes
  minimal,   // outgoing, with no more than policyd needs: what scripts send
};
std::optional<Profile> parse_profile(std::string_view name);

class RequestMaker {
 public:
  RequestMaker(Profile profile, uint64_t accounts);

  // The next request; the view holds until the next call.
  std::string_view next();

 private:
  struct Slot;
  struct Patch {
    size_t offset;
    const Slot* slot;
  };
  static const std::vector<Slot>& slots();
  void lay_out(std::string_view layout);

  std::string text_;
  std::vector<Patch> patches_;
  uint64_t accounts_;
  uint64_t sequence_ = 0;
  uint64_t pid_;
  uint64_t started_;  // seconds since 1970
};

}  // namespace policyd::bench
