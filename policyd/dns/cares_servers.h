// Which DNS servers are asked: those of the configuration, or else those of the system.
#pragma once

#include <string>
#include <vector>

#include "shared/result.h"

namespace policyd {

// "127.0.0.1:53", "[::1]:53", in the order of `configured`: addresses, with or without a port. Where there are none,
// those of /etc/resolv.conf; where that names none, 127.0.0.1. The Error names what is wrong.
Result<std::vector<std::string>> servers_to_ask(const std::vector<std::string>& configured);

}  // namespace policyd
