#include "policyd/engine.h"

#include <algorithm>

#include "policyd/async/gather.h"
#include "policyd/score.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr std::string_view kDeferCode = "4.7.1 ";
constexpr std::string_view kRejectCode = "5.7.1 ";

bool refused(const Verdict& verdict) {
  return verdict.action == Action::defer || verdict.action == Action::reject;
}

// The text of an action: with the enhanced status code that fits, except for HOLD, which only shows in the log.
std::string with_code(Action action, std::string_view text) {
  std::string whole(action == Action::defer ? kDeferCode : action == Action::reject ? kRejectCode : "");
  whole += text;
  return whole;
}

void apply_block(const Block& block, const SmtpReply& usual, Verdict& verdict) {
  SmtpReply reply = usual;
  if (!block.reply.empty()) {
    // What is stored has been checked, but redis-cli can write anything: then the usual reply is given.
    if (auto custom = SmtpReply::parse(block.reply, usual)) reply = *std::move(custom);
  }
  verdict.cause = Cause::block;
  verdict.block = std::make_shared<const Block>(block);
  verdict.action = reply.temporary() ? Action::defer : Action::reject;
  verdict.smtp_code = reply.code;
  verdict.text = reply.enhanced + " " + reply.text;
}

// A check with `block = true` rejects at once; else the thresholds speak.
void apply_score(const Config& config, const std::vector<const CheckSettings*>& checks, Verdict& verdict) {
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
  } else {
    verdict.action = action_for(config.score.thresholds[static_cast<size_t>(verdict.direction)], verdict.score);
    if (verdict.action != Action::dunno) verdict.cause = Cause::score;
  }
  if (verdict.action == Action::dunno) return;
  verdict.text = with_code(verdict.action, fill_in(config.score.text, reasons_of(verdict.findings), verdict.score));
}

constexpr Action kOnLimit[] = {Action::defer, Action::reject, Action::hold};

void apply_limit(const Config& config, const AccountPolicy& policy, Verdict& verdict) {
  verdict.cause = Cause::limit;
  verdict.action = kOnLimit[static_cast<size_t>(policy.on_limit)];
  std::string text = config.limits.text;
  if (verdict.action == Action::defer && verdict.charge.retry_after) {
    const int64_t seconds = (verdict.charge.retry_after->count() + 999) / 1000;
    text += ", try again in " + std::to_string(seconds) + (seconds == 1 ? " second" : " seconds");
  }
  verdict.text = with_code(verdict.action, text);
}

std::string header_of(const Config& config, const Verdict& verdict) {
  std::string header = config.score.header + ": " + std::to_string(verdict.score);
  std::string findings;
  for (const Finding& finding : verdict.findings) {
    if (!finding.counted) continue;
    findings += findings.empty() ? " (" : ", ";
    findings.append(finding.check->name).append(".").append(finding.outcome->name).append("=").append(std::to_string(finding.weight));
  }
  return header + findings + (findings.empty() ? "" : ")");
}

}  // namespace

Engine::Engine(std::shared_ptr<const Config> config, const Mirror& mirror, Store& store, uv_loop_s* loop)
    : mirror_(mirror), store_(store), loop_(loop), policies_(config, mirror) {
  statistics_.checks.resize(check_table().size());
  reconfigure(std::move(config));
}

void Engine::reconfigure(std::shared_ptr<const Config> config) {
  auto active = std::make_shared<Active>();
  active->config = config;
  for (const CheckRow& row : check_table()) {
    active->checks.push_back(&config->checks.find(row.spec.name)->second);
    for (const Direction direction : {Direction::incoming, Direction::outgoing}) {
      active->any_check[static_cast<size_t>(direction)] |= active->checks.back()->applies(direction);
    }
  }
  active_ = std::move(active);
  policies_.reconfigure(std::move(config));
  recent_.clear();
}

Task<Verdict> Engine::decide(const Request& request) { return evaluate(request, Mode::live); }
Task<Verdict> Engine::explain(const Request& request) { return evaluate(request, Mode::dry); }

// One coroutine for the whole way of a request: whatever it calls and does not wait for is a plain function.
Task<Verdict> Engine::evaluate(const Request& request, Mode mode) {
  const std::shared_ptr<const Active> active = active_;
  const Subject subject(request, *active->config);
  Verdict verdict;
  verdict.direction = subject.direction();
  verdict.account = subject.account();
  const bool judging = request.state() == ProtocolState::rcpt;
  const auto key = judging && mode == Mode::live ? recent_.key_of(request) : std::nullopt;
  if (key) recent_.prefetch(*key);

  // Before anything is waited for: the settings of the same configuration as all else.
  const auto policy = subject.direction() == Direction::outgoing ? policies_.of(subject.account()) : nullptr;
  bool going_on = begin(request.state(), subject, *active, key, verdict);
  if (going_on && judging && active->any_check[static_cast<size_t>(verdict.direction)]) {
    const auto checking = run_checks(request, *active, verdict);
    co_await checking;
    apply_score(*active->config, active->checks, verdict);
    going_on = !refused(verdict);
  }
  if (going_on && policy && !policy->limits.empty()) {
    const Charge charge = charge_of(request, subject, *policy, mode);
    const auto charging = store_.charge(charge);
    verdict.charge = co_await charging;
    if (!verdict.charge.passed) apply_limit(*active->config, *policy, verdict);
    going_on = !refused(verdict);
  }
  if (going_on && judging) {
    if (key) recent_.remember(*key, verdict.action, verdict.text, verdict.score);
    if (mode == Mode::live) pass(request, *active, verdict);
  }
  if (mode == Mode::live) count(verdict);
  co_return verdict;
}

// What is known at once. False: the verdict stands.
bool Engine::begin(ProtocolState state, const Subject& subject, const Active& active,
                   const std::optional<RecentDecisions::Key>& key, Verdict& verdict) const {
  if (state == ProtocolState::data || state == ProtocolState::end_of_message) return true;
  if (state != ProtocolState::rcpt) {
    verdict.cause = Cause::not_asked;
    return false;
  }
  if (const Block* block = mirror_.find(subject.names())) {
    apply_block(*block, active.config->blocks.reply, verdict);
    return false;
  }
  const auto* earlier = key ? recent_.find(*key) : nullptr;
  if (!earlier) return true;
  verdict.action = earlier->action;
  verdict.text = earlier->text();
  verdict.score = earlier->score;
  verdict.cause = Cause::earlier;
  return false;
}

Task<void> Engine::run_checks(const Request& request, const Active& active, Verdict& verdict) {
  const CheckContext context{request, *active.config, verdict.direction};
  std::vector<size_t> applied;
  std::vector<Task<Observation>> tasks;
  for (size_t i = 0; i < check_table().size(); ++i) {
    if (!active.checks[i]->applies(verdict.direction)) continue;
    applied.push_back(i);
    tasks.push_back(check_table()[i].run(context));
  }
  if (tasks.empty()) co_return;
  // The store's answer comes after the checks and has its own time-out: both together stay within the deadline.
  const Milliseconds limit =
      std::max(active.config->server.deadline - 2 * active.config->store.timeout, active.config->server.deadline / 2);
  const auto gathering = gather(loop_, std::move(tasks), limit);
  const auto observations = co_await gathering;
  for (size_t at = 0; at < applied.size(); ++at) {
    static const Observation kTooLate{{}, "no answer by the deadline"};
    const Observation& observation = observations[at] ? *observations[at] : kTooLate;
    weigh(check_table()[applied[at]].spec, *active.checks[applied[at]], verdict.direction, observation, verdict.findings);
  }
}

// A recipient's charge at RCPT; afterwards the message's is settled.
Charge Engine::charge_of(const Request& request, const Subject& subject, const AccountPolicy& policy, Mode mode) {
  Charge charge;
  charge.kind = request.state() == ProtocolState::rcpt ? Charge::Kind::recipient : Charge::Kind::settle;
  charge.account = subject.account();
  charge.instance = request.instance();
  charge.recipient = subject.recipient();
  charge.recipients = request.recipient_count();
  // Before END-OF-MESSAGE the size is what MAIL declared.
  charge.bytes = request.size();
  charge.limits = &policy.limits;
  charge.ended = request.state() == ProtocolState::end_of_message;
  charge.dry_run = mode == Mode::dry;
  return charge;
}

// Mail that goes on: once per message it is given the header, if one is configured.
void Engine::pass(const Request& request, const Active& active, Verdict& verdict) {
  if (active.config->score.header.empty() || verdict.action != Action::dunno) return;
  const auto message = recent_.message_key_of(request);
  if (!message || !recent_.first_time(*message)) return;
  verdict.action = Action::prepend;
  verdict.text = header_of(*active.config, verdict);
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
