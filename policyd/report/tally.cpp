#include "policyd/report/tally.h"

#include <algorithm>

#include "policyd/checks/check.h"
#include "policyd/dnsbl/zone.h"
#include "policyd/report/decision.h"
#include "policyd/report/report_table.h"

namespace policyd {

namespace {

size_t index_of(const CheckSpec* check) {
  const auto& table = check_table();
  size_t index = 0;
  while (&table[index].spec != check) ++index;
  return index;
}

// Whether this finding is the first of those that are alike.
template <class Alike>
bool is_first(const std::vector<Finding>& findings, const Finding& finding, Alike alike) {
  return std::none_of(findings.data(), &finding, alike);
}

// The check that asks zones of a kind.
std::string_view check_of(ZoneKind kind) {
  const auto& table = check_table();
  const auto row =
      std::find_if(table.begin(), table.end(), [kind](const CheckRow& each) { return each.spec.zones == kind; });
  return row->spec.name;
}

}  // namespace

Tally::Tally() : checks_(check_table().size()) {
  for (size_t i = 0; i < checks_.size(); ++i) checks_[i].outcomes.resize(check_table()[i].spec.outcomes.size());
}

void Tally::count(const Verdict& verdict, const Config& config, std::string_view recipient) {
  if (verdict.checked.any()) {
    for (size_t i = 0; i < checks_.size(); ++i) checks_[i].requests += verdict.checked[i] ? 1 : 0;
    if (!verdict.findings.empty()) count_findings(verdict, Decision(verdict, config));
  }
  if (verdict.greylisting) greylist_.count(*verdict.greylisting, recipient);
}

void Tally::count_findings(const Verdict& verdict, const Decision& decision) {
  const auto& findings = verdict.findings;
  const bool decides = decision.by_findings();
  const auto count = [&](auto& row, const Finding& finding, const auto& alike) {
    if (!is_first(findings, finding, alike)) return;
    ++row.hits;
    if (decides && decision.hangs_on(alike)) ++row.decided;
  };
  for (const Finding& finding : findings) {
    Check& row = checks_[index_of(finding.check)];
    if (!finding.outcome) {
      ++row.errors;
      continue;
    }
    count(row, finding, [&](const Finding& one) { return one.check == finding.check && one.outcome; });
    count(row.outcomes[static_cast<size_t>(finding.outcome - finding.check->outcomes.data())], finding,
          [&](const Finding& one) { return one.outcome == finding.outcome; });
    if (!finding.zone) continue;
    count(zones_[*finding.zone], finding, [&](const Finding& one) { return one.zone == finding.zone; });
  }
}

void Tally::asked(const Zone& zone, const ZoneAsked& asked) {
  if (zones_.size() <= zone.number()) zones_.resize(zone.number() + 1);
  ZoneRow& row = zones_[zone.number()];
  if (row.name.empty()) row.name.append(check_of(zone.kind())).append(":").append(zone.name());
  ++row.requests;
  row.errors += asked.failed ? 1 : 0;
  if (asked.took) row.times.add(*asked.took);
}

void Tally::drain(WallTime now, ReportTable& table) {
  const auto take = [&](Row& row, std::string_view name) {
    if (row.requests == 0) return;
    Figures figures{row.requests, row.hits, row.decided, row.errors};
    figures.insert(figures.end(), row.times.counts().begin(), row.times.counts().end());
    table.add({ReportKind::checks, now, std::string(name), std::move(figures)});
    row = Row{};
  };
  for (size_t i = 0; i < checks_.size(); ++i) {
    const CheckSpec& spec = check_table()[i].spec;
    take(checks_[i], spec.name);
    for (size_t at = 0; at < spec.outcomes.size(); ++at) {
      const Outcome outcome = std::exchange(checks_[i].outcomes[at], Outcome{});
      if (outcome.hits == 0) continue;
      std::string name = std::string(spec.name).append(".").append(spec.outcomes[at].name);
      table.add({ReportKind::checks, now, std::move(name), {0, outcome.hits, outcome.decided}});
    }
  }
  for (ZoneRow& zone : zones_) take(zone, zone.name);
  greylist_.drain(now, table);
}

}  // namespace policyd
