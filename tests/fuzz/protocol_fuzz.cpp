// libFuzzer target: the protocol parser on any octets.
//
// However a stream of octets is cut into reads, the same requests have to come out of it, and it has to end the same
// way: well, or with an error. And whatever a request holds, a reply that repeats it is one well-formed reply. A
// property that does not hold aborts; memory is watched by the sanitizers that the target is built with.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "shared/protocol.h"
#include "shared/text.h"

namespace {

using namespace policyd;

struct Conversation {
  std::vector<std::string> requests;
  bool failed = false;
  bool operator==(const Conversation&) const = default;
};

void must(bool holds) {
  if (!holds) std::abort();
}

// All that a request says, with what could be mistaken made visible.
std::string describe(const Request& request) {
  std::string all;
  for (size_t i = 0; i < kAttributes; ++i) {
    const auto attribute = static_cast<Attribute>(i);
    append_quoted(all.append(attribute_name(attribute)).append("="), request.get(attribute));
  }
  must(request.size() >= 0 && request.recipient_count() >= 0);
  return all + std::to_string(static_cast<int>(request.state()));
}

void check_reply(const Request& request) {
  const std::string text = std::string(request.sender()) + "|" + std::string(request.recipient());
  const std::string reply = format_reply("REJECT 5.7.1 " + text);
  must(reply.starts_with("action=REJECT 5.7.1 ") && reply.size() <= 510 + std::string_view("action=\n\n").size());
  must(reply.find('\n') == reply.size() - 2 && reply.ends_with("\n\n"));
}

// Reads of `first` octets, then of `step`.
Conversation converse(std::string_view octets, size_t first, size_t step) {
  Conversation conversation;
  RequestReader reader;
  Request request;
  for (size_t length = first; !octets.empty(); length = step) {
    reader.feed(octets.substr(0, length));
    octets.remove_prefix(std::min(length, octets.size()));
    for (;;) {
      const auto result = reader.next(request);
      if (!result) {
        must(!result.error().message.empty());
        conversation.failed = true;
        return conversation;
      }
      if (*result == RequestReader::Step::incomplete) break;
      conversation.requests.push_back(describe(request));
      check_reply(request);
    }
    must(reader.pending() <= kMaximumRequest + step);
  }
  return conversation;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const Conversation whole = converse(octets, octets.size() + 1, octets.size() + 1);
  const size_t cut = stable_hash(octets) % (size + 1) + 1;
  must(converse(octets, cut, octets.size() + 1) == whole);
  if (size <= 4096) must(converse(octets, 1, 1) == whole);
  return 0;
}
