#include "policyd/outgoing.h"

#include <algorithm>
#include <utility>

#include "shared/client_network.h"
#include "shared/text.h"

namespace policyd {

namespace {

bool refuse(Verdict& verdict, std::string_view rule, Action action, std::string_view text) {
  verdict.cause = Cause::rule;
  verdict.rule = rule;
  verdict.action = action;
  verdict.text = text;
  return false;
}

}  // namespace

bool is_internal(const Config& config, std::string_view recipient) {
  const auto& patterns = config.traffic.internal_domains;
  if (patterns.empty()) return false;
  const std::string_view domain = domain_of(recipient);
  return std::any_of(patterns.begin(), patterns.end(),
                     [domain](const std::string& pattern) { return matches_domain(pattern, domain); });
}

Outgoing::Key Outgoing::key_of(const Request& request, const Subject& subject) const {
  return stable_hash(request.instance(), stable_hash(subject.account(), seed_));
}

Outgoing::Message& Outgoing::message(Key key) {
  Message* const known = messages_.find(key);
  return known ? *known : messages_.insert(key);
}

void Outgoing::settle(Key key) {
  Message& ended = message(key);
  ended.settled = true;
  ended.recipients.forget_names();
  if (ended.refused) ended.refused->forget_names();
}

std::optional<int64_t> Outgoing::give_up(Key message) {
  Message* const known = messages_.find(message);
  if (!known || known->settled) return std::nullopt;
  return std::exchange(known->nonexistent, 0);
}

uint64_t Outgoing::recipient_of(const Subject& subject) const { return stable_hash(subject.recipient(), seed_); }

bool Outgoing::too_many(const Mail& mail, int64_t most) const {
  if (mail.request.state() != ProtocolState::rcpt || mail.request.instance().empty()) return false;
  const Message* const message = messages_.find(mail.message);
  if (!message || message->recipients.size() < static_cast<size_t>(most)) return false;
  return !message->recipients.contains(recipient_of(mail.subject));
}

bool Outgoing::keeps_rules(const Mail& mail, const AccountPolicy& policy, SenderDomain domain,
                           Verdict& verdict) const {
  const BlockSubject& names = mail.subject.names();
  if (policy.settings.senders && !policy.settings.senders->allows(names.sender, names.login)) {
    return refuse(verdict, "senders", Action::reject, "5.7.1 Sender address not allowed for this account");
  }
  if (domain == SenderDomain::takes_none) {
    return refuse(verdict, "sender_must_exist", Action::reject, "5.1.8 Sender domain cannot receive mail");
  }
  if (policy.max_size > 0 && mail.request.size() > policy.max_size) {
    return refuse(verdict, "max_size", Action::reject, "5.3.4 Message too large for this account");
  }
  // RFC 5321, 4.5.3.1.10: what is put off the client sends in a message of its own.
  if (policy.max_recipients > 0 && too_many(mail, policy.max_recipients)) {
    return refuse(verdict, "max_recipients_per_message", Action::defer, "4.5.3 Too many recipients");
  }
  return true;
}

std::optional<Charge> Outgoing::charge_of(const Mail& mail, const AccountPolicy& policy, const Config& config,
                                          std::string& network) const {
  if (policy.limits.empty() && policy.signs.empty()) return std::nullopt;
  const auto& [request, subject, key] = mail;
  Charge charge;
  const bool judging = request.state() == ProtocolState::rcpt;
  charge.kind = judging ? Charge::Kind::recipient : Charge::Kind::settle;
  charge.account = subject.account();
  charge.instance = request.instance();
  charge.recipient = subject.recipient();
  charge.recipients = request.recipient_count();
  // Before END-OF-MESSAGE the size is what MAIL declared.
  charge.bytes = request.size();
  charge.limits = &policy.limits;
  charge.ended = request.state() == ProtocolState::end_of_message;
  if (!policy.signs.empty()) charge.signs = &policy.signs;
  if (policy.counts_networks && subject.names().client) {
    network = client_network(*subject.names().client);
    charge.network = network;
  }
  if (config.traffic.internal_domains.empty()) return charge;
  if (judging) return is_internal(config, subject.recipient()) ? std::nullopt : std::optional(charge);
  const Message* const message = messages_.find(key);
  if (!message) return charge;
  if (message->internal > 0 && message->external() == 0 && charge.recipients <= message->internal) return std::nullopt;
  charge.recipients = accepted_of(*message, charge.recipients);
  return charge;
}

// How many recipients are charged of a message of which Postfix accepted `count`, internal ones included. Which of them
// it refused it does not say. Certain is that it accepted no more external ones than passed here; so those above that
// are given back, and were refused. That it refused still more, and fewer internal ones, can be, but whoever names
// unknown internal recipients must not get external ones for nothing. Certain is too that all accepted ones are
// external but for the internal ones that passed; that is more where some were forgotten here.
int64_t Outgoing::accepted_of(const Message& message, int64_t count) {
  return std::max(std::min(message.external(), count), count - message.internal);
}

Charge Outgoing::sign_of(std::string_view account, const AccountPolicy& policy, Meter meter, int64_t amount) {
  Charge charge;
  charge.kind = Charge::Kind::sign;
  charge.account = account;
  charge.limits = &policy.limits;
  charge.signs = &policy.signs;
  charge.meter = meter;
  charge.amount = amount;
  return charge;
}

Charge Outgoing::give_back_of(std::string_view instance, std::string_view account, const AccountPolicy& policy) {
  Charge charge;
  charge.kind = Charge::Kind::give_back;
  charge.account = account;
  charge.instance = instance;
  charge.limits = &policy.limits;
  if (!policy.signs.empty()) charge.signs = &policy.signs;
  return charge;
}

bool Outgoing::first_spam(const Mail& mail) {
  if (mail.request.instance().empty()) return true;
  return !std::exchange(message(mail.message).spam, true);
}

bool Outgoing::first_hit(const Mail& mail) {
  if (mail.request.instance().empty()) return true;
  return !std::exchange(message(mail.message).hit, true);
}

bool Outgoing::first_refusal(const Mail& mail) {
  if (mail.request.instance().empty()) return true;
  auto& refused = message(mail.message).refused;
  if (!refused) refused = std::make_unique<RecipientSet>();
  return refused->add(recipient_of(mail.subject));
}

// The store counts what Postfix refused where it knows how many it accepted.
int64_t Outgoing::take_nonexistent(const Mail& mail, const std::optional<Charge>& settling) {
  Message* const known = messages_.find(mail.message);
  if (!known) return 0;
  const bool counts = settling && settling->kind == Charge::Kind::settle && settling->recipients > 0;
  const int64_t refused = counts ? std::max<int64_t>(known->external() - settling->recipients, 0) : 0;
  return std::max<int64_t>(std::exchange(known->nonexistent, 0) - refused, 0);
}

void Outgoing::take(const ChargeResult& charged, Verdict& verdict) {
  const ChargeResult before = std::exchange(verdict.charge, charged);
  take_sign(before, verdict);
}

void Outgoing::take_sign(const ChargeResult& counted, Verdict& verdict) {
  ChargeResult& charge = verdict.charge;
  charge.local = charge.local || counted.local;
  if (charge.sign || !counted.sign) return;
  charge.sign = counted.sign;
  charge.sign_used = counted.sign_used;
}

void Outgoing::apply_limits(const Config& config, const AccountPolicy& policy, Verdict& verdict) {
  if (verdict.charge.passed) return;
  verdict.cause = Cause::limit;
  verdict.action = action_of(policy.on_limit);
  std::string text = config.limits.text;
  if (verdict.action == Action::defer && verdict.charge.retry_after) {
    const int64_t seconds = (verdict.charge.retry_after->count() + 999) / 1000;
    text += ", try again in " + std::to_string(seconds) + (seconds == 1 ? " second" : " seconds");
  }
  verdict.text = with_code(verdict.action, text);
}

std::optional<int64_t> Outgoing::passed(const Mail& mail, const AccountPolicy& policy, const Config& config,
                                        bool exists) {
  const bool matters = policy.max_recipients > 0 || policy.counts_invalid || !config.traffic.internal_domains.empty();
  if (!matters || mail.request.instance().empty()) return std::nullopt;
  Message& under_way = message(mail.message);
  const int64_t before = under_way.external();
  const uint64_t recipient = recipient_of(mail.subject);
  if (!under_way.recipients.add(recipient)) return std::nullopt;
  if (is_internal(config, mail.subject.recipient())) {
    ++under_way.internal;
    return std::nullopt;
  }
  const bool counted = under_way.refused && under_way.refused->contains(recipient);
  if (!exists && !counted) ++under_way.nonexistent;
  return before;
}

}  // namespace policyd
