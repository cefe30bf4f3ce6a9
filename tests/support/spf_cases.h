// Tables of SPF cases over a zone: who asks, and what comes out.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "policyd/spf/spf.h"

namespace policyd::test {

struct SpfCase {
  std::string_view what;
  std::string_view client;
  std::string_view sender;
  std::string_view want;  // the result; with an explanation "fail: TEXT"
  std::string_view helo = "mail.example.com";
};

SpfQuery spf_query(const SpfCase& row);

// What came out, as `want` has it. However the answers come, at once or in rounds, it is the same; what is true of
// every outcome is checked too.
std::string spf_said(std::string_view zone, const SpfCase& row, SpfOutcome* whole = nullptr);

void check_spf_cases(std::string_view zone, const std::vector<SpfCase>& cases);

// A record alone, at example.com, with `zone` beside it.
struct RecordCase {
  std::string_view record;
  std::string_view client;
  std::string_view want;
};
void check_spf_records(std::string_view zone, const std::vector<RecordCase>& cases);

}  // namespace policyd::test
