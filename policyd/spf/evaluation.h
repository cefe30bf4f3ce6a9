// The evaluation of one SPF query: check_host() of RFC 7208, section 4.
//
// evaluation.cpp goes through records and holds the limits; terms.cpp is what the mechanisms look up and compare. The
// coroutines hold on to the answer whose text they read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/dns/resolver.h"
#include "policyd/spf/identity.h"
#include "policyd/spf/macro.h"
#include "policyd/spf/record.h"
#include "policyd/spf/scout.h"
#include "policyd/spf/spf.h"

namespace policyd {

class SpfEvaluation {
 public:
  // All of these outlive the evaluation.
  SpfEvaluation(Resolver& resolver, const SpfQuery& query, const SpfIdentity& identity);
  SpfEvaluation(const SpfEvaluation&) = delete;
  SpfEvaluation& operator=(const SpfEvaluation&) = delete;

  // The record of `domain`, and of those that it redirects to, until there is a result. `included`: within an
  // "include".
  Task<SpfResult> check_host(std::string domain, bool included);

  SpfOutcome outcome;  // what is found out beside the result

 private:
  // What a term says.
  enum class Match : uint8_t { no, yes, temperror, permerror };

  // A record under evaluation, and how far it has come; that of an include stands within the one that includes it.
  struct Place {
    const SpfRecord& record;
    const std::string& domain;
    Place* outer;
    size_t next = 0;
    bool surveyed = false;
  };

  Task<std::optional<SpfResult>> evaluate(const SpfRecord& record, const std::string& domain, bool included);
  Task<void> explain(std::string_view domain_spec, const std::string& domain);

  // The mechanisms. `target` is their <target-name>.
  Task<Match> match(const SpfDirective& directive, const std::string& domain);
  Task<Match> match_target(const SpfDirective& directive, const std::string& target);
  Task<Match> match_include(const std::string& target);
  Task<Match> match_addresses(const SpfDirective& directive, const std::string& target);
  Task<Match> match_exchangers(const SpfDirective& directive, const std::string& target);
  Task<Match> match_client_names(const SpfDirective& directive, const std::string& target);
  Task<void> find_client_names();

  [[nodiscard]] bool needs_client_names(std::string_view macros) const;
  [[nodiscard]] MacroValues values_for(const std::string& domain) const;
  std::optional<std::string> target_of(std::string_view domain_spec, const std::string& domain);
  [[nodiscard]] DnsType address_type() const { return query_.client.v6 ? DnsType::aaaa : DnsType::a; }
  std::vector<std::unique_ptr<DnsLookup>> ask_addresses(const std::vector<std::string_view>& hosts);
  void look_ahead(const DnsLookup& lookup);

  bool is_one_too_many() { return ++terms_ > kSpfMostTerms; }
  Match doubt_in(DnsStatus status, const SpfDirective& directive, std::string_view name);
  // Says why, and gives the error back.
  SpfResult give_up(SpfResult error, std::string why);
  Match give_up(Match error, std::string why);

  Resolver& resolver_;
  const SpfQuery& query_;
  const MacroValues values_;
  int terms_ = 0;
  int voids_ = 0;
  std::optional<std::vector<std::string>> client_names_;  // those that lead back to the client, once they are looked up
  bool has_no_pointer_ = false;                           // the client has no PTR record
  Place* innermost_ = nullptr;
  SpfScout scout_;
};

// Whether `name` is `domain` or below it; both in lower case.
bool is_within(std::string_view name, std::string_view domain);

}  // namespace policyd
