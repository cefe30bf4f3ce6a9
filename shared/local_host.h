// What the system says about the host that this program runs on.
#pragma once

#include <string>

namespace policyd {

// The system's host name in lower case, as it was when first asked for; empty where there is none.
// Often not fully qualified: nothing here asks the DNS for the rest, so that a start does not
// depend on it.
const std::string& local_host_name();

}  // namespace policyd
