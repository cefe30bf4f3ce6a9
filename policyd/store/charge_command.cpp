#include "policyd/store/charge_command.h"

#include <algorithm>

#include "policyd/store/packed_numbers.h"
#include "policyd/store/redis_scripts.h"
#include "policyd/store/resp.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr size_t kKeysAt = 3;      // the verb, the script and the number of keys stand before the keys
constexpr size_t kFixedAfter = 3;  // records, times and networks stand behind them, then the lists

constexpr unsigned kModes[] = {0, ChargeRecord::test_only, ChargeRecord::merges,
                               ChargeRecord::merges | ChargeRecord::if_known};

const Limits& signs_of(const Charge& charge) {
  static const Limits kNone;
  return charge.signs ? *charge.signs : kNone;
}

bool has_elements(const Limits& signs) {
  return std::any_of(signs.begin(), signs.end(), [](const Limit& limit) { return counts_elements(limit.meter); });
}

bool counts_recipients(const Limits& signs) {
  return std::any_of(signs.begin(), signs.end(),
                     [](const Limit& limit) { return limit.meter == Meter::distinct_recipients; });
}

// Where no recipient is charged its place in the record has a number.
bool settles(const Charge& charge) {
  return charge.kind == Charge::Kind::settle || charge.kind == Charge::Kind::give_back;
}

unsigned mode_of(const Charge& charge, ChargeMode mode) {
  return charge.kind == Charge::Kind::give_back ? ChargeRecord::gives_back : kModes[static_cast<size_t>(mode)];
}

unsigned what_of(const Charge& charge, ChargeMode mode) {
  return (has_elements(signs_of(charge)) ? ChargeRecord::elements : 0U) |
         (charge.kind == Charge::Kind::sign ? ChargeRecord::sign : 0U) |
         (settles(charge) ? ChargeRecord::settles : 0U) | mode_of(charge, mode) |
         (charge.instance.empty() ? 0U : ChargeRecord::has_message) | (charge.ended ? ChargeRecord::ended : 0U);
}

// Seeded with what the client cannot know, so that it cannot make up recipients that look alike.
void append_recipient(std::string& out, const Charge& charge) {
  uint64_t hash = stable_hash(charge.recipient, stable_hash(charge.instance));
  for (int octet = 0; octet < 8; ++octet, hash >>= 8) out.push_back(static_cast<char>(hash & 0xff));
}

// Redis 6 says of an error within a script where it was, and then as on the wire:
// "@user_script: 41: -OOM command not allowed ...\r\n".
std::string_view without_place(std::string_view error) {
  constexpr std::string_view kScript = "@user_script: ";
  if (!error.starts_with(kScript)) return error;
  const size_t line_end = error.find_first_not_of("0123456789", kScript.size());
  if (line_end == std::string_view::npos || !error.substr(line_end).starts_with(": ")) return error;
  error.remove_prefix(line_end + 2);
  if (error.starts_with('-')) error.remove_prefix(1);
  return error.substr(0, error.find_last_not_of("\r\n") + 1);
}

// What the windows of the charge's limits hold, as far as `numbers` tells.
std::vector<LimitUse> uses_of(const Charge& charge, std::string_view numbers) {
  std::vector<LimitUse> uses;
  for (const Limits* list : {charge.limits, charge.signs}) {
    for (const Limit& limit : list ? *list : Limits{}) uses.push_back({limit, number_at(numbers, uses.size())});
  }
  return uses;
}

}  // namespace

void ChargeCommand::clear() {
  key_count_ = 0;
  timed_ = false;
  for (std::string* octets : {&rates_, &messages_, &seen_, &records_, &times_, &networks_}) octets->clear();
  lists_.clear();
}

void ChargeCommand::add(const Charge& charge, ChargeMode mode, WallTime at) {
  scratch_.clear();
  keys_.append_rate(scratch_, charge.account);
  append_bulk(rates_, scratch_);
  ++key_count_;
  if (!charge.instance.empty()) {
    scratch_.clear();
    keys_.append_message(scratch_, charge.account, charge.instance);
    append_bulk(messages_, scratch_);
    ++key_count_;
  }
  records_.push_back(static_cast<char>(what_of(charge, mode)));
  records_.push_back(static_cast<char>(list_of(*charge.limits, signs_of(charge))));
  add_amounts(charge);
  append_number(times_, static_cast<double>(at.time_since_epoch().count()));
  timed_ = timed_ || mode == ChargeMode::merge || mode == ChargeMode::merge_known;
  if (has_elements(signs_of(charge))) add_elements(charge);
}

void ChargeCommand::add_amounts(const Charge& charge) {
  const bool sign = charge.kind == Charge::Kind::sign;
  append_number(records_, static_cast<double>(sign ? charge.amount : charge.bytes));
  if (sign) {
    append_number(records_, static_cast<double>(charge.meter));
  } else if (settles(charge)) {
    append_number(records_, static_cast<double>(charge.recipients));
  } else if (counts_recipients(signs_of(charge))) {
    append_element(records_, Meter::distinct_recipients, charge.recipient);
  } else {
    append_recipient(records_, charge);
  }
}

void ChargeCommand::add_elements(const Charge& charge) {
  scratch_.clear();
  keys_.append_seen(scratch_, charge.account);
  append_bulk(seen_, scratch_);
  ++key_count_;
  const bool recipient = charge.kind == Charge::Kind::recipient;
  append_element(networks_, Meter::client_networks, recipient ? charge.network : std::string_view());
}

// No text is 0, no hash is.
void ChargeCommand::append_element(std::string& out, Meter meter, std::string_view element) const {
  SipKey key = elements_;
  key.first += static_cast<uint64_t>(meter);
  uint64_t hash = element.empty() ? 0 : siphash(key, element).low;
  if (!element.empty() && hash == 0) hash = 1;
  for (int octet = 0; octet < 8; ++octet, hash >>= 8) out.push_back(static_cast<char>(hash & 0xff));
}

// Most charges share one list.
size_t ChargeCommand::list_of(const Limits& limits, const Limits& signs) {
  const auto same = [&](const List& list) {
    return (list.limits == &limits || *list.limits == limits) && (list.signs == &signs || *list.signs == signs);
  };
  const auto found = std::find_if(lists_.begin(), lists_.end(), same);
  const auto index = static_cast<size_t>(found - lists_.begin());
  if (found == lists_.end()) lists_.push_back({&limits, &signs});
  return index + 1;
}

std::string_view ChargeCommand::take(std::string_view verb, std::string_view script) {
  command_.clear();
  append_command_head(command_, kKeysAt + key_count_ + kFixedAfter + lists_.size());
  append_bulk(command_, verb);
  append_bulk(command_, script);
  append_bulk(command_, key_count_);
  command_.append(rates_).append(messages_).append(seen_);
  append_bulk(command_, records_);
  append_bulk(command_, timed_ ? std::string_view(times_) : std::string_view());
  append_bulk(command_, networks_);
  for (const List& list : lists_) {
    scratch_.clear();
    append_limits(scratch_, *list.limits, *list.signs);
    append_bulk(command_, scratch_);
  }
  return command_;
}

ChargeResult ChargeAnswer::result(const Charge& charge) const {
  const size_t limits = charge.limits->size();
  const size_t signs = charge.signs ? charge.signs->size() : 0;
  ChargeResult result;
  if (sign && *sign >= limits && *sign < limits + signs) {
    result.sign = (*charge.signs)[*sign - limits];
    result.sign_used = sign_used;
  }
  if (kind == Kind::passed) return result;
  result.passed = false;
  if (limit < limits) result.limit = (*charge.limits)[limit];
  if (limit >= limits && limit < limits + signs) result.limit = (*charge.signs)[limit - limits];
  result.retry_after = retry_after;
  result.uses = uses_of(charge, uses);
  return result;
}

std::optional<ChargeAnswers> ChargeAnswers::of(const RedisReply& reply, size_t charges) {
  if (reply.elements.empty() || reply.elements[0].text.size() != charges) return std::nullopt;
  const std::string& letters = reply.elements[0].text;
  size_t details = 0;
  for (const char letter : letters) {
    details += letter == '+' ? 0 : letter == '-' ? 3 : letter == 'S' ? 2 : letter == 's' ? 5 : 1;
  }
  if (reply.elements.size() != 1 + details) return std::nullopt;
  return ChargeAnswers(reply);
}

ChargeAnswer ChargeAnswers::next() {
  ChargeAnswer answer;
  const char letter = reply_->elements[0].text[letter_++];
  const auto number = [this] { return reply_->elements[detail_++].integer; };
  if (letter == '+' || letter == 'S') {
    answer.kind = ChargeAnswer::Kind::passed;
  } else if (letter == '-' || letter == 's') {
    answer.kind = ChargeAnswer::Kind::refused;
    answer.limit = static_cast<size_t>(number());
    const int64_t wait = number();
    if (wait >= 0) answer.retry_after = Milliseconds(wait);
    answer.uses = reply_->elements[detail_++].text;
  } else {
    answer.error = without_place(reply_->elements[detail_++].text);
  }
  if (letter == 'S' || letter == 's') {
    answer.sign = static_cast<size_t>(number());
    answer.sign_used = number();
  }
  return answer;
}

}  // namespace policyd
