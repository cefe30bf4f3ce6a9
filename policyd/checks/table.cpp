// THE list of checks: see check.h.
//
// A new check is a file that defines NAME_check(), its declaration and its row here, a test and an
// entry in policyd.toml(5). A check's name, outcomes and default weights stand in its own file,
// beside what finds them.
#include "policyd/checks/check.h"

namespace policyd {

CheckRow reverse_dns_check();
CheckRow ehlo_check();
CheckRow sender_check();
CheckRow sender_domain_check();
CheckRow spf_check();
CheckRow dnsbl_check();
CheckRow rhsbl_check();
CheckRow batv_check();
CheckRow recipient_domain_check();

const std::vector<CheckRow>& check_table() {
  static const std::vector<CheckRow> kTable = {
      reverse_dns_check(),
      ehlo_check(),
      sender_check(),
      sender_domain_check(),
      spf_check(),
      dnsbl_check(),
      rhsbl_check(),
      batv_check(),
      recipient_domain_check(),
  };
  return kTable;
}

std::vector<CheckSpec> check_specs() {
  std::vector<CheckSpec> specs;
  for (const CheckRow& row : check_table()) specs.push_back(row.spec);
  return specs;
}

}  // namespace policyd
