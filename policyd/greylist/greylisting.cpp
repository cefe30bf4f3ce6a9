#include "policyd/greylist/greylisting.h"

#include <algorithm>
#include <utility>

#include "policyd/greylist/keys.h"
#include "shared/text.h"

namespace policyd {

namespace {

// The client is known by its network, but it may have a name that could not be looked up.
bool may_be_known(std::string_view client, const Verdict& verdict) {
  return client.find('/') != std::string_view::npos &&
         std::any_of(verdict.findings.begin(), verdict.findings.end(), [](const Finding& finding) {
           return !finding.outcome && finding.check->identifies_client;
         });
}

}  // namespace

std::optional<GreylistKeys> greylist_keys(const Request& request, const Subject& subject,
                                          const Config::Greylist& config, const Verdict& verdict) {
  if (!config.enabled || subject.direction() != Direction::incoming) return std::nullopt;
  if (config.min_score > 0 && verdict.score < config.min_score) return std::nullopt;
  if (request.sender().empty() && !config.null_sender) return std::nullopt;
  auto client = greylist_client(subject.names().client, subject.names().client_name, verdict.identity);
  if (!client || may_be_known(*client, verdict)) return std::nullopt;
  return GreylistKeys{*std::move(client), greylist_sender(request.sender()), greylist_recipient(request.recipient())};
}

GreylistAttempt greylist_attempt(const GreylistKeys& keys, const Request& request, const Config::Greylist& config) {
  GreylistAttempt attempt;
  attempt.client = keys.client;
  attempt.sender = keys.sender;
  attempt.recipient = keys.recipient;
  attempt.instance = request.instance();
  attempt.block = config.block;
  attempt.pass = config.pass;
  attempt.record = config.record;
  attempt.auto_allow = config.auto_allow;
  return attempt;
}

void apply_greylist(const Config::Greylist& config, const GreylistResult& result, std::string client,
                    Verdict& verdict) {
  verdict.greylisting = {result, std::move(client), !config.dry_run};
  if (!result.waits() || config.dry_run) return;
  verdict.action = Action::defer;
  verdict.if_permit = true;
  verdict.cause = Cause::greylist;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(result.wait).count();
  verdict.text = "4.7.1 " + replaced(config.text, "{seconds}", std::to_string(seconds));
}

}  // namespace policyd
