#include "policyd/engine.h"

#include <algorithm>

#include "policyd/journal/journal.h"
#include "policyd/notify/event.h"
#include "policyd/score.h"
#include "shared/text.h"

namespace policyd {

namespace {

bool settles(ProtocolState state) { return state == ProtocolState::data || state == ProtocolState::end_of_message; }

// Whether the score has reached a threshold, whatever comes of it.
bool is_spam(const Config& config, const Verdict& verdict) {
  return action_for(config.score.thresholds[static_cast<size_t>(verdict.direction)], verdict.score) != Action::dunno;
}

bool refused(const Verdict& verdict) {
  return verdict.action == Action::defer || verdict.action == Action::reject;
}

void give(const SmtpReply& reply, Verdict& verdict) {
  verdict.action = reply.temporary() ? Action::defer : Action::reject;
  verdict.smtp_code = reply.code;
  verdict.text = reply.enhanced + " " + reply.text;
}

void apply_block(const Block& block, const SmtpReply& usual, Verdict& verdict) {
  SmtpReply reply = usual;
  if (!block.reply.empty()) {
    // What is stored has been checked, but redis-cli can write anything: then the usual reply is given.
    if (auto custom = SmtpReply::parse(block.reply, usual)) reply = *std::move(custom);
  }
  verdict.cause = Cause::block;
  verdict.block = std::make_shared<const Block>(block);
  give(reply, verdict);
}

// A check with `block = true` rejects at once; else the thresholds speak, where they are heard.
void apply_score(const Config& config, const std::vector<const CheckSettings*>& checks, bool heard, Verdict& verdict) {
  verdict.score = sum_of(verdict.findings);
  const auto blocks = [&checks](const Finding& finding) {
    const auto& table = check_table();
    const auto row = std::find_if(table.begin(), table.end(),
                                  [&finding](const CheckRow& each) { return &each.spec == finding.check; });
    return finding.counted && finding.weight > 0 && checks[static_cast<size_t>(row - table.begin())]->block;
  };
  if (std::any_of(verdict.findings.begin(), verdict.findings.end(), blocks)) {
    verdict.action = Action::reject;
    verdict.cause = Cause::check;
  } else if (heard) {
    verdict.action = action_for(config.score.thresholds[static_cast<size_t>(verdict.direction)], verdict.score);
    if (verdict.action != Action::dunno) verdict.cause = Cause::score;
  }
  if (verdict.action == Action::dunno) return;
  verdict.text = with_code(verdict.action, fill_in(config.score.text, reasons_of(verdict.findings), verdict.score));
}

// Whoever is refused cannot tell a lock from a block.
void apply_lock(const Lock& lock, const Config& config, Verdict& verdict) {
  verdict.cause = Cause::lock;
  verdict.lock = std::make_shared<const Lock>(lock);
  const OnLimit action = parse_on_limit(config.locks.action).value_or(OnLimit::reject);
  if (action == OnLimit::reject) return give(config.blocks.reply, verdict);
  verdict.action = action_of(action);
  verdict.text = with_code(verdict.action, action == OnLimit::hold ? "account locked" : config.blocks.reply.text);
}

// Checks that the account's rules need, whatever they weigh.
CheckSet wanted_of(const AccountPolicy* policy) {
  return policy && policy->sender_must_exist ? Inspection::sender_domain() : CheckSet();
}

// Those that a message should have whose recipient has just been judged.
std::vector<std::string> header_fields_of(const Config& config, const Verdict& verdict) {
  std::vector<std::string> fields;
  if (!config.score.header.empty()) fields.push_back(score_field(config.score.header, verdict));
  fields.insert(fields.end(), verdict.headers.begin(), verdict.headers.end());
  return fields;
}

}  // namespace

Engine::Engine(std::shared_ptr<const Config> config, const EngineParts& parts)
    : mirror_(parts.mirror),
      store_(parts.store),
      resolver_(parts.resolver),
      zones_(parts.zones),
      clock_(parts.clock),
      loop_(parts.loop),
      warden_(parts.warden),
      journal_(parts.journal),
      policies_(config, parts.mirror),
      signs_(parts.store, parts.warden, outgoing_),
      domain_answers_(parts.clock),
      events_(parts.events) {
  statistics_.checks.resize(check_table().size());
  reconfigure(std::move(config));
}

void Engine::reconfigure(std::shared_ptr<const Config> config) {
  plan_ = std::make_shared<const CheckPlan>(config);
  zones_.reconfigure(*config);
  policies_.reconfigure(std::move(config));
  recent_.clear();
}

Task<Verdict> Engine::decide(const Request& request, OpenTransaction* transaction) {
  if (transaction) signs_.give_up(transaction->begin(request.instance()));
  return evaluate(request, Mode::live, transaction);
}

Task<Verdict> Engine::explain(const Request& request) { return evaluate(request, Mode::dry, nullptr); }

void Engine::end(OpenTransaction& transaction) { signs_.give_up(transaction.end()); }

// One coroutine for the whole way of a request: whatever it calls and does not wait for is a plain function.
Task<Verdict> Engine::evaluate(const Request& request, Mode mode, OpenTransaction* transaction) {
  const std::shared_ptr<const CheckPlan> plan = plan_;
  const Config& config = *plan->config;
  const Subject subject(request, config);
  Verdict verdict;
  verdict.direction = subject.direction();
  verdict.account = subject.account();
  const bool judging = request.state() == ProtocolState::rcpt;
  const auto key = judging && mode == Mode::live ? recent_.key_of(request) : std::nullopt;
  if (key) recent_.prefetch(*key);

  // Before anything is waited for: the settings of the same configuration as all else.
  const auto policy = subject.direction() == Direction::outgoing ? policies_.of(subject.account()) : nullptr;
  const Outgoing::Mail mail{request, subject, policy ? outgoing_.key_of(request, subject) : 0};
  if (policy && key) outgoing_.prefetch(mail.message);
  Signs::Counting counting(store_, verdict);
  bool going_on = begin(request.state(), subject, config, key, verdict);
  const Asked asked{mail, mode, *plan, policy, transaction, key};
  auto sender_domain = Outgoing::SenderDomain::takes_mail_or_unknown;
  const CheckSet wanted = wanted_of(policy.get());
  if (going_on && judging && (plan->applied[static_cast<size_t>(verdict.direction)] | wanted).any()) {
    Inspection inspection({resolver_, zones_, clock_, loop_, tally_}, request, subject.names(), *plan,
                          mode == Mode::live, wanted);
    if (!inspection.complete()) {
      const auto asking = inspection.ask();
      co_await asking;
    }
    sender_domain = conclude(asked, inspection, counting, verdict);
    going_on = !refused(verdict);
    if (going_on && inspection.wants_greylisting()) {
      if (const auto keys = greylist_keys(request, subject, config.greylist, verdict)) {
        const auto greylisting = greylist(request, *keys, config.greylist, mode, verdict);
        co_await greylisting;
        going_on = !refused(verdict);
      }
    }
  }
  if (going_on && policy) going_on = outgoing_.keeps_rules(mail, *policy, sender_domain, verdict);
  std::string network;
  if (const auto charge = charge_of(asked, going_on, verdict, counting, network)) {
    const auto charging = store_.charge(*charge);
    Outgoing::take(co_await charging, verdict);
    going_on = take_charge(asked, going_on, verdict);
  }
  if (counting.waits()) {
    const auto answered = counting.answered();
    co_await answered;
  }
  end(asked, going_on, verdict);
  co_return verdict;
}

// The checks are done: what they have found and what comes of it are put into the verdict, and signs are counted.
Outgoing::SenderDomain Engine::conclude(const Asked& asked, const Inspection& inspection, Signs::Counting& counting,
                                        Verdict& verdict) {
  const auto& [mail, mode, plan, policy, transaction, key] = asked;
  const auto& [request, subject, message] = mail;
  const bool live = mode == Mode::live;
  inspection.conclude(verdict);
  domain_answers_.judge(inspection, subject.names(), *plan.config, live, verdict);
  apply_score(*plan.config, plan.settings, !policy || policy->block_spam, verdict);
  if (live && policy && !verdict.findings.empty()) {
    signs_.found(mail, *policy, is_spam(*plan.config, verdict), refused(verdict), verdict, counting);
  }
  const bool takes_none = inspection.found(wanted_of(policy.get())) && domain_answers_.believed();
  return takes_none ? Outgoing::SenderDomain::takes_none : Outgoing::SenderDomain::takes_mail_or_unknown;
}

// What the store is to be asked, and with it signs that show at the end of a message. `network` outlives the charge.
std::optional<Charge> Engine::charge_of(const Asked& asked, bool going_on, const Verdict& verdict,
                                        Signs::Counting& counting, std::string& network) {
  const auto& [mail, mode, plan, policy, transaction, key] = asked;
  const auto& [request, subject, message] = mail;
  const bool settling = request.state() != ProtocolState::rcpt;
  // What is refused at the end of a message was charged when its recipients passed.
  const bool ends_refused = settling && (verdict.cause == Cause::lock || verdict.cause == Cause::rule);
  if (!policy || !(going_on || (ends_refused && mode == Mode::live))) return std::nullopt;
  auto charge = outgoing_.charge_of(mail, *policy, *plan.config, network);
  if (charge) charge->dry_run = mode == Mode::dry;
  if (charge && ends_refused && verdict.action != Action::hold) charge->kind = Charge::Kind::give_back;
  if (settling && mode == Mode::live) signs_.settling(mail, *policy, charge, counting);
  return charge;
}

// The store has answered; false: it refuses, or something did before.
bool Engine::take_charge(const Asked& asked, bool going_on, Verdict& verdict) {
  const bool judging = asked.mail.request.state() == ProtocolState::rcpt;
  if (going_on) Outgoing::apply_limits(*asked.plan.config, *asked.policy, verdict);
  going_on = going_on && !refused(verdict);
  if (asked.mode == Mode::live && judging) busy_.note(asked.mail.subject.account(), clock_.steady());
  return going_on;
}

// A recipient is let through, for the first time.
void Engine::pass(const Asked& asked, const Verdict& verdict) {
  const auto& [mail, mode, plan, policy, transaction, key] = asked;
  if (policy) {
    const bool exists = Signs::exists(verdict);
    const auto before = outgoing_.passed(mail, *policy, *plan.config, exists);
    if (before && transaction && policy->counts_invalid) signs_.passed(mail, *before, exists, policy, *transaction);
  }
  if (key) recent_.remember(*key, verdict.action, verdict.text, verdict.score);
}

// What is remembered, written and told of a verdict; an id and header fields are put into it.
void Engine::end(const Asked& asked, bool going_on, Verdict& verdict) {
  const auto& [mail, mode, plan, policy, transaction, key] = asked;
  const auto& [request, subject, message] = mail;
  if (transaction && policy && settles(request.state())) signs_.settle(mail, *transaction);
  if (transaction && policy && request.state() == ProtocolState::rcpt && refused(verdict)) {
    Signs::refused(request, *transaction);
  }
  if (mode == Mode::dry) return;
  write_journal(request, verdict);
  if (going_on && request.state() == ProtocolState::rcpt) pass(asked, verdict);
  if (policy && verdict.charge.sign) {
    warden_.notice(subject.account(), *verdict.charge.sign, verdict.charge.sign_used, *policy);
  }
  if (plan.writes_headers && verdict.action == Action::dunno) prepend(request, *plan.config, verdict);
  count(verdict);
  if (verdict.cause == Cause::limit) {
    signs_.hit(mail, policy);
    tell_limit(verdict);
  }
  tally_.count(verdict, *plan.config, subject.names().recipient);
}

Task<std::optional<ChargeResult>> Engine::report_sign(std::string account, Meter meter, int64_t amount) {
  const auto policy = policies_.of(account);
  const auto counts = [meter](const Limit& limit) { return limit.meter == meter; };
  if (std::none_of(policy->signs.begin(), policy->signs.end(), counts)) co_return std::nullopt;
  const auto counting = signs_.count(std::move(account), policy, meter, amount);
  co_return co_await counting;
}

// The lock of the account that is charged; or of the login or client itself, where that is another.
const Lock* Engine::lock_of(const Subject& subject) const {
  if (subject.direction() != Direction::outgoing) return nullptr;
  const Lock* const lock = mirror_.lock(subject.account());
  const std::string_view own = subject.names().account;
  return lock || own == subject.account() ? lock : mirror_.lock(own);
}

// What is known at once. False: the verdict stands.
bool Engine::begin(ProtocolState state, const Subject& subject, const Config& config,
                   const std::optional<RecentDecisions::Key>& key, Verdict& verdict) const {
  const bool settling = settles(state);
  if (!settling && state != ProtocolState::rcpt) {
    verdict.cause = Cause::not_asked;
    return false;
  }
  if (const Block* block = settling ? nullptr : mirror_.find(subject.names())) {
    apply_block(*block, config.blocks.reply, verdict);
    return false;
  }
  if (const Lock* lock = lock_of(subject)) {
    apply_lock(*lock, config, verdict);
    return false;
  }
  if (settling) return true;
  const auto* earlier = key ? recent_.find(*key) : nullptr;
  if (!earlier) return true;
  verdict.action = earlier->action;
  verdict.text = earlier->text();
  verdict.score = earlier->score;
  verdict.cause = Cause::earlier;
  return false;
}

Task<void> Engine::greylist(const Request& request, const GreylistKeys& keys, const Config::Greylist& config, Mode mode,
                            Verdict& verdict) {
  GreylistAttempt attempt = greylist_attempt(keys, request, config);
  attempt.dry_run = mode == Mode::dry;
  const auto asking = store_.greylist(attempt);
  const GreylistResult result = co_await asking;
  apply_greylist(config, result, keys.client, verdict);
}

// Mail that goes on is given its header fields; who has passed before brings none, but may fetch what waits.
void Engine::prepend(const Request& request, const Config& config, Verdict& verdict) {
  const auto message = recent_.message_key_of(request);
  if (!message) return;
  if (request.state() == ProtocolState::end_of_message) return headers_.end(*message);
  const bool judged = request.state() == ProtocolState::rcpt && verdict.cause != Cause::earlier;
  verdict.text = headers_.next(*message, judged ? header_fields_of(config, verdict) : std::vector<std::string>());
  if (!verdict.text.empty()) verdict.action = Action::prepend;
}

void Engine::tell_limit(const Verdict& verdict) const {
  if (!events_ || !verdict.charge.limit || !events_->wants(EventKind::limit, verdict.account)) return;
  const Limit& limit = *verdict.charge.limit;
  const std::string meter(meter_name(limit.meter));
  const std::string text = verdict.account + " has reached its limit of " + limit.to_string() + " " + meter;
  nlohmann::json details = {
      {"meter", meter}, {"limit", limit.to_string()}, {"action", action_name(verdict.action)}, {"reply", verdict.text}};
  events_->tell({EventKind::limit, verdict.account, text, std::move(details)});
}

// What was held before has its id in its text.
void Engine::write_journal(const Request& request, Verdict& verdict) {
  if (!journal_) return;
  journal_->note_queue_id(request);
  const bool passes = verdict.action == Action::dunno || verdict.action == Action::prepend;
  if (!passes && verdict.cause != Cause::earlier) journal_->record(request, verdict);
}

void Engine::count(const Verdict& verdict) {
  ++statistics_.requests;
  ++statistics_.verdicts[static_cast<size_t>(verdict.direction)][static_cast<size_t>(verdict.action)];
  ++statistics_.causes[static_cast<size_t>(verdict.cause)];
  if (verdict.cause == Cause::earlier) return;
  const auto& table = check_table();
  for (const Finding& finding : verdict.findings) {
    for (size_t i = 0; i < table.size(); ++i) {
      if (&table[i].spec != finding.check) continue;
      ++(finding.outcome ? statistics_.checks[i].hits : statistics_.checks[i].errors);
    }
  }
}

}  // namespace policyd
