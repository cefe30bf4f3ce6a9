#include "policyd/dnsbl/listings.h"

#include <algorithm>
#include <deque>

#include "policyd/dnsbl/answers.h"
#include "policyd/report/tally.h"

namespace policyd {

namespace {

constexpr size_t kLongestName = 253;

// A question on its way. One that is dropped after a long time (the request's deadline has come) is the zone's trouble
// too.
struct Question {
  Question(const ZoneGroup& group_, const ListSubject& subject_, const CheckContext& context, SteadyTime asked_)
      : group(group_),
        subject(subject_),
        zones(context.zones),
        asked(asked_),
        lookup(context.resolver.query(subject_.question + "." + group_.zone->name(), DnsType::a)) {}
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;
  ~Question() {
    if (settled || lookup.await_ready() || !group.zone->is_slow(took())) return;
    group.zone->went_wrong("no answer by the deadline of the request");
  }
  [[nodiscard]] Milliseconds took() const { return zones.now() - asked; }

  const ZoneGroup& group;
  const ListSubject& subject;
  const Zones& zones;
  SteadyTime asked;
  DnsLookup lookup;
  bool settled = false;
  bool failed = true;
  bool was_put = true;  // to the list
};

// Counts each zone that was asked once, when the request is through with its questions, or drops them. They stand in
// the order of the groups.
class ZoneCounts {
 public:
  ZoneCounts(Tally* tally, const std::deque<Question>& questions) : tally_(tally), questions_(questions) {}
  ZoneCounts(const ZoneCounts&) = delete;
  ZoneCounts& operator=(const ZoneCounts&) = delete;
  ~ZoneCounts() {
    if (!tally_) return;
    for (auto question = questions_.begin(); question != questions_.end();) {
      const ZoneGroup& group = question->group;
      Tally::ZoneAsked asked;
      bool was_put = false;
      for (; question != questions_.end() && &question->group == &group; ++question) {
        const auto took = question->settled ? question->lookup.took() : std::optional(question->took());
        if (took) asked.took = std::max(asked.took.value_or(*took), *took);
        asked.failed |= question->failed;
        was_put |= question->was_put;
      }
      if (was_put) tally_->asked(*group.zone, asked);
    }
  }

 private:
  Tally* tally_;
  const std::deque<Question>& questions_;
};

bool wants(const ZoneSettings& entry, const ListSubject& subject, Direction direction) {
  if (entry.weights[static_cast<size_t>(direction)] == 0) return false;
  return std::any_of(entry.names.begin(), entry.names.end(), [&subject](ListedName name) {
    return (subject.names & (1U << static_cast<unsigned>(name))) != 0;
  });
}

bool wants(const ZoneGroup& group, const ListSubject& subject, Direction direction) {
  if (group.zone->suspended() || subject.question.size() + 1 + group.zone->name().size() > kLongestName) return false;
  return std::any_of(group.entries.begin(), group.entries.end(),
                     [&](const ZoneSettings& entry) { return wants(entry, subject, direction); });
}

// A list may answer oddly about the odd names of strangers: no reason to do without it.
bool is_blameless(const Question& question, const DnsAnswer& answer) {
  return answer.status == DnsStatus::malformed && question.group.zone->kind() == ZoneKind::names;
}

// Tells the zone how it did.
void report(Question& question, const DnsAnswer& answer, const Judgement& judgement, bool waited) {
  Zone& zone = *question.group.zone;
  question.settled = true;
  question.failed = !judgement.why.empty();
  question.was_put = answer.status != DnsStatus::bad_name && answer.status != DnsStatus::overloaded;
  if (!question.was_put) return;
  if (is_blameless(question, answer)) {
    zone.could_not_ask();
  } else if (!judgement.why.empty()) {
    zone.went_wrong(judgement.why);
  } else if (waited && zone.is_slow(question.took())) {
    zone.went_wrong(zone.slow_text(question.took()));
  } else {
    zone.went_well(judgement.kind == Judgement::Kind::listed);
  }
}

// The outcome of an entry that matches. Replies say the label; the log also says the zone.
Outcome outcome_of(const ZoneSettings& entry, const Question& question, const IpAddress& answer) {
  Outcome outcome;
  outcome.weights = entry.weights;
  outcome.zone = question.group.zone->number();
  outcome.reason.append(question.subject.noun)
      .append(entry.label.empty() ? " is on a DNS list" : " is listed by " + entry.label);
  outcome.detail.append(entry.zone).append(" says ").append(answer.to_string());
  if (question.group.zone->kind() == ZoneKind::names) outcome.detail.append(" of ").append(question.subject.question);
  return outcome;
}

// Appends an outcome for every entry that matches, and that has not done so for another name.
void match(const Question& question, const DnsAnswer& answer, Direction direction,
           std::vector<const ZoneSettings*>& hit, Observation& observation) {
  for (const ZoneSettings& entry : question.group.entries) {
    if (!wants(entry, question.subject, direction)) continue;
    if (std::find(hit.begin(), hit.end(), &entry) != hit.end()) continue;
    const auto found = std::find_if(answer.addresses.begin(), answer.addresses.end(),
                                    [&entry](const IpAddress& address) { return entry.answers.matches(address); });
    if (found == answer.addresses.end()) continue;
    hit.push_back(&entry);
    observation.outcomes.push_back(outcome_of(entry, question, *found));
  }
}

// Questions stand in the order of their groups.
bool has(const std::vector<uint32_t>& zones, const ZoneGroup& group) {
  return !zones.empty() && zones.back() == group.zone->number();
}

void note_error(const Question& question, std::string_view why, Observation& observation) {
  if (!observation.error.empty()) observation.error += "; ";
  observation.error.append(question.group.zone->shown()).append(": ").append(why);
}

}  // namespace

Task<Observation> find_listings(const CheckContext& context, std::shared_ptr<const ZoneGroups> groups,
                                std::vector<ListSubject> subjects) {
  Observation observation;
  if (!groups || subjects.empty()) co_return observation;
  const SteadyTime asked = context.zones.now();
  std::deque<Question> questions;
  for (const ZoneGroup& group : *groups) {
    for (const ListSubject& subject : subjects) {
      if (wants(group, subject, context.direction)) questions.emplace_back(group, subject, context, asked);
    }
  }
  const ZoneCounts counts(context.tally, questions);
  std::vector<const ZoneSettings*> hit;
  for (Question& question : questions) {
    // The time is known only of what was really waited for: the others were answered meanwhile.
    DnsLookup& lookup = question.lookup;
    const bool waited = !lookup.await_ready();
    const DnsAnswerPtr answer = co_await lookup;
    const Judgement judgement = judge(*answer, question.group.zone->kind(), question.group.entries);
    report(question, *answer, judgement, waited);
    if (question.was_put && !has(observation.zones, question.group)) {
      observation.zones.push_back(question.group.zone->number());
    }
    if (!judgement.why.empty()) {
      note_error(question, judgement.why, observation);
    } else if (judgement.kind == Judgement::Kind::listed && !question.group.zone->trusted()) {
      note_error(question, "it has not passed its test", observation);
    } else if (judgement.kind == Judgement::Kind::listed) {
      match(question, *answer, context.direction, hit, observation);
    }
  }
  co_return observation;
}

}  // namespace policyd
