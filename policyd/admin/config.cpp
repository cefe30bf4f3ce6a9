// The admin API's view of the configuration in force: the TOML that would bring it about, the
// password masked.
#include "shared/config.h"

#include "policyd/admin/resources.h"
#include "policyd/checks/check.h"

namespace policyd {

Task<ApiAnswer> get_config(const AdminContext& context, const ApiRequest&) {
  const std::vector<CheckSpec> specs = check_specs();
  Json body = {{"toml", show_config(context.engine.config(), specs)}};
  co_return answer(std::move(body));
}

}  // namespace policyd
