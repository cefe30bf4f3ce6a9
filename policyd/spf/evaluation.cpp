#include "policyd/spf/evaluation.h"

#include <algorithm>
#include <span>
#include <utility>

#include "shared/text.h"

namespace policyd {
namespace {

constexpr std::string_view kTooManyTerms = "more than 10 terms that need DNS look-ups";

MacroValues values_of(const SpfQuery& query, const SpfIdentity& identity) {
  MacroValues values;
  values.client = query.client;
  values.sender = identity.mailbox();
  values.local_part = identity.local_part();
  values.sender_domain = identity.domain();
  values.helo = query.helo;
  values.now = query.now;
  if (!query.receiver.empty()) values.receiver = query.receiver;
  return values;
}

}  // namespace

bool is_within(std::string_view name, std::string_view domain) {
  if (!name.ends_with(domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

SpfEvaluation::SpfEvaluation(Resolver& resolver, const SpfQuery& query, const SpfIdentity& identity)
    : resolver_(resolver), query_(query), values_(values_of(query, identity)), scout_(resolver, values_) {}

Task<SpfResult> SpfEvaluation::check_host(std::string domain, bool included) {
  for (bool redirected = false;; redirected = true) {
    auto lookup = resolver_.query(domain, DnsType::txt);
    look_ahead(lookup);
    const DnsAnswerPtr answer = co_await lookup;
    if (answer->unknown())
      co_return give_up(SpfResult::temperror, "the TXT records of " + domain + " cannot be looked up");
    const SpfSelection selected = select_spf_record(answer->texts);
    if (selected.count == 0)
      co_return give_up(redirected ? SpfResult::permerror : SpfResult::none, domain + " has no SPF record");
    if (selected.count > 1) co_return give_up(SpfResult::permerror, domain + " has more than one SPF record");
    const auto record = parse_spf_record(selected.text);
    if (!record) co_return give_up(SpfResult::permerror, "the SPF record of " + domain + ": " + record.error().message);

    const auto evaluating = evaluate(*record, domain, included);
    if (const auto result = co_await evaluating) co_return *result;
    if (record->redirect.empty()) co_return SpfResult::neutral;
    if (is_one_too_many() || (needs_client_names(record->redirect) && is_one_too_many()))
      co_return give_up(SpfResult::permerror, std::string(kTooManyTerms));
    if (needs_client_names(record->redirect)) {
      const auto finding = find_client_names();
      co_await finding;
    }
    auto target = target_of(record->redirect, domain);
    if (!target) co_return give_up(SpfResult::permerror, domain + " redirects to what is no domain");
    domain = std::move(*target);
  }
}

// Nothing: no directive matched.
Task<std::optional<SpfResult>> SpfEvaluation::evaluate(const SpfRecord& record, const std::string& domain,
                                                       bool included) {
  Place place{record, domain, innermost_};
  innermost_ = &place;
  std::optional<SpfResult> result;
  while (!result && place.next < record.directives.size()) {
    const SpfDirective& directive = record.directives[place.next++];
    Match matched = directive.matches_at_once(query_.client) ? Match::yes : Match::no;
    if (directive.asks_dns()) {
      const auto matching = match(directive, domain);
      matched = co_await matching;
    }
    switch (matched) {
      case Match::no: break;
      case Match::temperror: result = SpfResult::temperror; break;
      case Match::permerror: result = SpfResult::permerror; break;
      case Match::yes:
        result = directive.qualifier;
        if (!included) outcome.mechanism = directive.text;
    }
  }
  innermost_ = place.outer;
  if (result == SpfResult::fail && !included && query_.explain && !record.exp.empty()) {
    const auto explaining = explain(record.exp, domain);
    co_await explaining;
  }
  co_return result;
}

Task<SpfEvaluation::Match> SpfEvaluation::match(const SpfDirective& directive, const std::string& domain) {
  if (is_one_too_many()) co_return give_up(Match::permerror, std::string(kTooManyTerms));
  // RFC 7208, 4.6.4: what %{p} takes counts as a term does.
  if (needs_client_names(directive.domain_spec)) {
    if (is_one_too_many()) co_return give_up(Match::permerror, std::string(kTooManyTerms));
    const auto finding = find_client_names();
    co_await finding;
  }
  const auto target = target_of(directive.domain_spec, domain);
  // RFC 7208, 4.8 leaves open what is at a name that cannot be one: nothing, as in 4.3 and 5.2.
  if (!target && directive.mechanism == SpfMechanism::include)
    co_return give_up(Match::permerror, quoted(directive.text, 100) + " includes what is no domain");
  if (!target) co_return Match::no;
  const auto matching = match_target(directive, *target);
  co_return co_await matching;
}

// Whether an answer ends the evaluation: nothing is known, or nothing was found once too often.
SpfEvaluation::Match SpfEvaluation::doubt_in(DnsStatus status, const SpfDirective& directive, std::string_view name) {
  // Of a name that the DNS cannot have nothing was looked up.
  if (status == DnsStatus::found || status == DnsStatus::bad_name) return Match::no;
  if (status != DnsStatus::no_domain && status != DnsStatus::no_data)
    return give_up(Match::temperror, quoted(directive.text, 100) + ": " + std::string(name) + " cannot be looked up");
  if (++voids_ <= kSpfMostVoids) return Match::no;
  return give_up(Match::permerror, "more than 2 terms whose look-ups find nothing");
}

// RFC 7208, 6.2: whatever goes wrong, there is no explanation, and nothing else changes.
Task<void> SpfEvaluation::explain(std::string_view domain_spec, const std::string& domain) {
  if (needs_client_names(domain_spec)) {
    const auto finding = find_client_names();
    co_await finding;
  }
  const auto target = target_name(domain_spec, values_for(domain));
  if (!target) co_return;
  auto lookup = resolver_.query(*target, DnsType::txt);
  const DnsAnswerPtr answer = co_await lookup;
  if (!answer->found() || answer->texts.size() != 1) co_return;
  const std::string& text = answer->texts.front();
  if (!explain_string_flaw(text).empty()) co_return;
  if (needs_client_names(text)) {
    const auto finding = find_client_names();
    co_await finding;
  }
  outcome.explanation = explanation_text(text, values_for(domain));
}

bool SpfEvaluation::needs_client_names(std::string_view macros) const {
  return !client_names_ && macros.find('%') != std::string_view::npos && uses_macro(macros, 'p');
}

// %{p} is <domain> itself where that is among the client's names, else one below it, else any (RFC 7208, 7.3).
MacroValues SpfEvaluation::values_for(const std::string& domain) const {
  MacroValues values = values_;
  values.domain = domain;
  if (!client_names_ || client_names_->empty()) return values;
  const std::string wanted = to_lower(domain);
  auto name = std::find(client_names_->begin(), client_names_->end(), wanted);
  if (name == client_names_->end()) {
    name = std::find_if(client_names_->begin(), client_names_->end(),
                        [&wanted](const std::string& each) { return is_within(each, wanted); });
  }
  values.validated = name == client_names_->end() ? client_names_->front() : *name;
  return values;
}

// The <target-name> of a term; notes whether it is one for this sender alone.
std::optional<std::string> SpfEvaluation::target_of(std::string_view domain_spec, const std::string& domain) {
  outcome.of_local_part |= domain_spec.find('%') != std::string_view::npos &&
                           (uses_macro(domain_spec, 'l') || uses_macro(domain_spec, 's'));
  return target_name(domain_spec, values_for(domain));
}

// Before the first wait in a record, what the rest of it needs is asked for as well.
void SpfEvaluation::look_ahead(const DnsLookup& lookup) {
  if (lookup.await_ready()) return;
  for (Place* place = innermost_; place; place = place->outer) {
    if (std::exchange(place->surveyed, true)) continue;
    const SpfRecord& record = place->record;
    scout_.survey(std::span(record.directives).subspan(place->next), record.redirect, place->domain,
                  kSpfMostTerms - terms_);
  }
}

SpfResult SpfEvaluation::give_up(SpfResult error, std::string why) {
  outcome.problem = std::move(why);
  return error;
}

SpfEvaluation::Match SpfEvaluation::give_up(Match error, std::string why) {
  outcome.problem = std::move(why);
  return error;
}

}  // namespace policyd
