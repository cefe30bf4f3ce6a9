// spf: whether the client is permitted to send mail for the sender's domain (RFC 7208).
//
// The envelope sender's domain is checked; for the null sender the EHLO name. Exactly one of the seven results is
// found. A record that could not be looked up (`temperror`) is an error, neutral and counted, as for every check:
// only where it has been given a weight is it found as an outcome. The explanation of a domain's owner is not asked
// for: policyctl(1) shows it. With `received_spf` every result is also the header field of RFC 7208, 9.1.
#include "policyd/spf/spf.h"

#include "policyd/checks/check.h"
#include "policyd/spf/received_spf.h"
#include "shared/local_host.h"
#include "shared/protocol.h"

namespace policyd {
namespace {

// The indices of the outcomes in the spec below.
enum : size_t { kFail, kSoftfail, kNeutral, kNone, kPass, kTemperror, kPermerror };

size_t outcome_of(SpfResult result) {
  switch (result) {
    case SpfResult::fail: return kFail;
    case SpfResult::softfail: return kSoftfail;
    case SpfResult::neutral: return kNeutral;
    case SpfResult::none: return kNone;
    case SpfResult::pass: return kPass;
    case SpfResult::temperror: return kTemperror;
    case SpfResult::permerror: break;
  }
  return kPermerror;
}

// "192.0.2.1 by -all", or what stands in the way.
std::string reason_of(const SpfOutcome& outcome, std::string_view client) {
  if (!outcome.problem.empty()) return outcome.problem;
  return std::string(client) + (outcome.mechanism.empty() ? " by default" : " by " + outcome.mechanism);
}

// The whole field, short enough for a reply of its own.
std::string header_of(SpfQuery query, const SpfOutcome& outcome) {
  constexpr std::string_view kName = "Received-SPF: ", kAction = "PREPEND ";
  query.receiver = local_host_name();
  return std::string(kName) + received_spf(query, outcome, kLongestAction - kAction.size() - kName.size());
}

Observation observation_of(const CheckContext& context, const SpfOutcome& outcome) {
  // RFC 7208, 5.5 goes on without the names that cannot be looked up. No mail is held to what they might have said.
  if (outcome.names_unknown && outcome.result != SpfResult::pass) {
    return not_done("names of the client that the record asks for cannot be looked up: " + outcome.domain);
  }
  if (outcome.result == SpfResult::temperror && !context.weighs(kTemperror)) return not_done(outcome.problem);
  Observation observation = found(outcome_of(outcome.result), reason_of(outcome, context.request.client_address()),
                                  outcome.domain);
  if (outcome.result == SpfResult::pass) observation.identity = outcome.domain;
  return observation;
}

Task<Observation> run(const CheckContext& context) {
  const std::string_view client = context.request.client_address();
  const auto address = IpAddress::parse(client);
  if (!address) co_return not_done("the client's address is not known: client_address=" + quoted(client));
  SpfQuery query;
  query.client = *address;
  query.sender = context.request.sender();
  query.helo = context.request.helo_name();
  query.explain = false;
  if (query.sender.empty() && query.helo.empty()) co_return not_done("the sender is null, and there is no EHLO name");
  const auto checking = check_spf(context.resolver, query);
  const SpfOutcome outcome = co_await checking;
  Observation observation = observation_of(context, outcome);
  observation.only_here = outcome.of_local_part || context.writes_header();
  if (context.writes_header()) observation.header = header_of(std::move(query), outcome);
  co_return observation;
}

}  // namespace

CheckRow spf_check() {
  return {{"spf",
           "the client is permitted to send mail for the sender's domain (RFC 7208)",
           {{"fail", "client is not permitted to send mail for the sender's domain (SPF)", 20, 0},
            {"softfail", "client is probably not permitted to send mail for the sender's domain (SPF)", 8, 0},
            {"neutral", "sender's domain does not say whether the client may send mail for it (SPF)", 0, 0, true},
            {"none", "sender's domain does not say who may send mail for it (no SPF record)", 2, 0, true},
            {"pass", "client is permitted to send mail for the sender's domain (SPF)", -2, 0, true},
            {"temperror", "SPF record of the sender's domain cannot be looked up", 0, 0, true},
            {"permerror", "SPF record of the sender's domain is broken", 2, 0}},
           ZoneKind::none,
           "received_spf",
           true},
          run,
          {CheckInput::client_address, CheckInput::sender_domain, CheckInput::helo_name},
          true};
}

}  // namespace policyd
