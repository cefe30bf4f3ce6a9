#include "policyd/admin/audit.h"

#include "shared/log_line.h"

namespace policyd {

void log_change(const std::string& what) {
  log_info("admin: {}", what);
}

}  // namespace policyd
