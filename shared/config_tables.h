// THE lists of the keys in lists of tables, [[checks.NAME.zones]], [[checks.NAME.domains]] and [[allow]], and of the
// flags of a check.
//
// Like the rows of the schema (config_schema.h), they are what validation, defaults, `config show` and the tests of the
// documentation come from. A row without an `initial` is of a key that has to be given, or whose default stands
// elsewhere.
#pragma once

#include <span>
#include <vector>

#include "shared/allow_entry.h"
#include "shared/batv.h"
#include "shared/check_spec.h"
#include "shared/config_schema.h"
#include "shared/dns_zone.h"

namespace policyd {

// The keys of an entry in the zones of a check of that kind.
const std::vector<RowOf<ZoneSettings>>& zone_rows(ZoneKind kind);

// The keys of an entry in the domains of a check (BATV); the secrets are read, and shown masked.
const std::vector<RowOf<BatvDomain>>& batv_domain_rows();

// The keys of an [[allow]] entry; `checks` are those that it may name.
std::vector<RowOf<AllowEntry>> allow_rows(std::span<const CheckSpec> checks);

// A key of [checks.NAME] that is true or false; the default is false.
struct CheckFlag {
  std::string_view key;
  bool CheckSettings::*setting;
};
std::vector<CheckFlag> check_flags(const CheckSpec& spec);

}  // namespace policyd
