// Where a policyd's admin API is, read from its configuration file by programs that know nothing of
// its checks.
//
// Nothing but admin.listen is looked at: the rest may be wrong and policyd run all the same, with
// the configuration that it was started with. An Error names the file, and where there is one the
// place in it.
#pragma once

#include <string>
#include <vector>

#include "shared/config.h"
#include "shared/result.h"

namespace policyd {

// The unix sockets in admin.listen of the file at `path`, or the default where it does not say.
Result<std::vector<Endpoint>> load_admin_listen(const std::string& path);

// What a configuration without admin.listen means.
std::vector<Endpoint> default_admin_listen();

}  // namespace policyd
