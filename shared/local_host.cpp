// What the system says about its host: see local_host.h.
#include "shared/local_host.h"

#include <array>
#include <unistd.h>

#include "shared/text.h"

namespace policyd {

const std::string& local_host_name() {
  static const std::string kName = [] {
    std::array<char, 256> buffer{};  // one octet more than Linux allows, for the NUL
    const bool known = gethostname(buffer.data(), buffer.size() - 1) == 0;
    return known ? to_lower(buffer.data()) : std::string();
  }();
  return kName;
}

}  // namespace policyd
