#include "policyd/inspection.h"

#include <algorithm>
#include <utility>

#include "policyd/async/gather.h"
#include "policyd/score.h"

namespace policyd {

namespace {

// The store's answer comes after the checks and has its own time-out: both together stay within the deadline.
Milliseconds time_for_checks(const Config& config) {
  return std::max(config.server.deadline - 2 * config.store.timeout, config.server.deadline / 2);
}

bool is_clean(const Observation& observation) {
  return observation.outcomes.empty() && observation.error.empty() && observation.identity.empty() &&
         observation.header.empty() && observation.zones.empty();
}

// All that found nothing are one.
ObservationPtr shared(Observation observation) {
  static const ObservationPtr kClean = std::make_shared<const Observation>();
  return is_clean(observation) ? kClean : std::make_shared<const Observation>(std::move(observation));
}

// The check of that name.
CheckSet only(std::string_view name) {
  const auto& table = check_table();
  const auto row = std::find_if(table.begin(), table.end(),
                                [name](const CheckRow& each) { return each.spec.name == name; });
  CheckSet set;
  set.set(static_cast<size_t>(row - table.begin()));
  return set;
}

}  // namespace

CheckSet Inspection::checks() {
  static const CheckSet kChecks((1UL << check_table().size()) - 1);
  return kChecks;
}

// The check that can prove a sender's domain.
size_t Inspection::proof() {
  static const size_t kProof = [] {
    const auto& table = check_table();
    const auto row = std::find_if(table.begin(), table.end(), [](const CheckRow& each) { return each.proves_sender; });
    return static_cast<size_t>(row - table.begin());
  }();
  return kProof;
}

Inspection::Inspection(const InspectionParts& parts, const Request& request, const BlockSubject& subject,
                       const CheckPlan& plan, bool live, CheckSet wanted)
    : parts_(parts),
      request_(request),
      plan_(plan),
      direction_(subject.direction),
      live_(live),
      wanted_(wanted) {
  const AllowList::Skips skips = plan.allow.of(subject);
  due_ = plan.applied[static_cast<size_t>(direction_)] & ~skips.now;
  spared_by_proof_ = due_ & skips.after_spf_pass;
  if ((due_ | wanted_).none()) return;
  seen_.resize(check_table().size());
  if (live_) recall();
}

CheckSet Inspection::sender_domain() {
  static const CheckSet kSenderDomain = only("sender_domain");
  return kSenderDomain;
}

CheckSet Inspection::recipient_domain() {
  static const CheckSet kRecipientDomain = only("recipient_domain");
  return kRecipientDomain;
}

bool Inspection::clean(CheckSet which) const {
  for (size_t i = 0; i < check_table().size(); ++i) {
    if (which.test(i) && (i >= seen_.size() || !seen_[i] || !seen_[i]->outcomes.empty() || !seen_[i]->error.empty())) {
      return false;
    }
  }
  return true;
}

bool Inspection::found(CheckSet which) const {
  for (size_t i = 0; i < seen_.size(); ++i) {
    if (which.test(i) && seen_[i] && !seen_[i]->outcomes.empty()) return true;
  }
  return false;
}

void Inspection::recall() {
  CheckSet wanted = missing();
  if (wants_proof()) wanted.set(proof());
  if (wanted.none()) return;
  inputs_ = plan_.recent->inputs_of(request_, parts_.zones.turns());
  const SteadyTime now = parts_.clock.steady();
  for (size_t i = 0; i < seen_.size(); ++i) {
    if (!wanted.test(i) || check_table()[i].inputs.empty()) continue;
    seen_[i] = plan_.recent->find(plan_.recent->key_of(i, direction_, inputs_), now);
    asked_.set(i, seen_[i] != nullptr);
    recalled_.set(i, seen_[i] != nullptr);
  }
  settle_proof();
}

// Once the proof has been asked for: what it spares is no longer due.
void Inspection::settle_proof() {
  if (spared_by_proof_.none() || !asked_.test(proof())) return;
  const ObservationPtr& proving = seen_[proof()];
  if (proving && !proving->identity.empty()) due_ &= ~spared_by_proof_;
  spared_by_proof_.reset();
}

Task<void> Inspection::ask() {
  Milliseconds limit = time_for_checks(*plan_.config);
  if (wants_proof()) {
    const SteadyTime begun = parts_.clock.steady();
    CheckSet first;
    first.set(proof());
    const auto proving = observe(first, limit);
    co_await proving;
    settle_proof();
    limit = std::max(limit - (parts_.clock.steady() - begun), Milliseconds(1));
  }
  const auto observing = observe(missing(), limit);
  co_await observing;
}

// Does checks side by side.
Task<void> Inspection::observe(CheckSet which, Milliseconds limit) {
  const auto& table = check_table();
  std::vector<size_t> places;
  std::vector<CheckContext> contexts;
  std::vector<Task<Observation>> tasks;
  contexts.reserve(which.count());  // tasks hold on to their contexts
  for (size_t i = 0; i < table.size(); ++i) {
    if (!which.test(i)) continue;
    places.push_back(i);
    contexts.push_back({request_, *plan_.config, *plan_.settings[i], direction_, parts_.resolver, parts_.zones,
                        parts_.clock, live_ ? &parts_.tally : nullptr});
    tasks.push_back(table[i].run(contexts.back()));
  }
  asked_ |= which;
  if (tasks.empty()) co_return;
  const SteadyTime begun = parts_.clock.steady();
  const auto waited = [&](size_t at) {
    if (live_) parts_.tally.took(places[at], parts_.clock.steady() - begun);
  };
  const auto gathering = gather(parts_.loop, std::move(tasks), limit, waited);
  auto observations = co_await gathering;
  for (size_t at = 0; at < places.size(); ++at) {
    if (observations[at]) take(places[at], *std::move(observations[at]));
  }
}

void Inspection::take(size_t check, Observation observation) {
  const bool lasting = observation.error.empty() && !observation.only_here && !check_table()[check].inputs.empty();
  seen_[check] = shared(std::move(observation));
  if (!live_ || !lasting) return;
  plan_.recent->remember(plan_.recent->key_of(check, direction_, inputs_), seen_[check], parts_.clock.steady());
}

void Inspection::conclude(Verdict& verdict) const {
  static const Observation kTooLate{{}, "no answer by the deadline"};
  const auto& table = check_table();
  verdict.checked = due_ & checks();
  for (size_t i = 0; i < seen_.size(); ++i) {
    if (seen_[i] && verdict.identity.empty()) verdict.identity = seen_[i]->identity;
    if (seen_[i] && !seen_[i]->header.empty()) verdict.headers.push_back(seen_[i]->header);
    if (!due_.test(i)) continue;
    if (recalled_.test(i)) parts_.tally.recalled(seen_[i]->zones);
    weigh(table[i].spec, *plan_.settings[i], direction_, seen_[i] ? *seen_[i] : kTooLate, verdict.findings);
  }
}

}  // namespace policyd
