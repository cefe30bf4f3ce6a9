#include "policyd/admin/audit.h"

#include <spdlog/spdlog.h>

namespace policyd {

void log_change(const std::string& what) {
  spdlog::info("admin: {}", what);
}

}  // namespace policyd
