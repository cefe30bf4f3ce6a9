#include "policyd/dns/cache.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace policyd {

namespace {

constexpr size_t kMostEntries = 100'000'000;  // fits a Place and a chain

size_t octets_of(const std::string& text) {
  static const size_t kInPlace = std::string().capacity();
  return text.capacity() > kInPlace ? text.capacity() + 1 : 0;
}

}  // namespace

size_t octets_of(const DnsAnswer& answer) {
  if (!answer.found()) return 0;
  size_t octets = sizeof(DnsAnswer) + 2 * sizeof(void*);
  octets += answer.addresses.capacity() * sizeof(IpAddress);
  octets += answer.texts.capacity() * sizeof(std::string);
  octets += answer.exchangers.capacity() * sizeof(MailExchanger);
  for (const auto& text : answer.texts) octets += octets_of(text);
  for (const auto& exchanger : answer.exchangers) octets += octets_of(exchanger.host);
  return octets;
}

const DnsAnswerPtr& empty_answer(DnsStatus status) {
  static const auto kAnswers = [] {
    std::array<DnsAnswerPtr, kDnsStatuses> answers;
    for (size_t i = 0; i < answers.size(); ++i) {
      DnsAnswer answer;
      answer.status = static_cast<DnsStatus>(i);
      answers[i] = std::make_shared<const DnsAnswer>(std::move(answer));
    }
    return answers;
  }();
  return kAnswers[static_cast<size_t>(status)];
}

DnsCache::DnsCache(size_t most)
    : most_(std::min(most, kMostEntries)), chains_(std::bit_ceil(std::max<size_t>(most_, 1)), kNowhere) {}

DnsCache::Place DnsCache::find_place(const SipDigest& key) {
  Place place = chains_[chain_of(key)];
  while (place != kNowhere && at(place).tag != key.low) place = at(place).next;
  return place;
}

const DnsAnswerPtr* DnsCache::find(const SipDigest& key, SteadyTime now) {
  const Place place = find_place(key);
  if (place == kNowhere) return nullptr;
  Entry& entry = at(place);
  if (entry.until <= now) {
    drop(place);
    return nullptr;
  }
  entry.asked_for = 1;
  return &entry.answer;
}

void DnsCache::insert(const SipDigest& key, DnsAnswerPtr answer, SteadyTime until, SteadyTime now) {
  const size_t cost = octets_of(*answer);
  if (const Place known = find_place(key); known != kNowhere) drop(known);
  if (until <= now) return;
  // Two looks for each that comes: what has run out is gone before as many new ones have come.
  for (int i = 0; i < 2; ++i) turn_hand(now);
  if (!make_room(cost, now)) return;

  const Place place = take_free();
  Entry& entry = at(place);
  entry.tag = key.low;
  entry.answer = std::move(answer);
  entry.until = until;
  entry.asked_for = 0;
  entry.chain = chain_of(key);
  entry.next = std::exchange(chains_[entry.chain], place);
  ++size_;
  octets_ += cost;
}

DnsCache::Place DnsCache::take_free() {
  if (free_ != kNowhere) return std::exchange(free_, at(free_).next);
  if (used_ % kBlock == 0) blocks_.push_back(std::make_unique<Entry[]>(std::min(kBlock, most_ - used_)));
  return used_++;
}

void DnsCache::drop(Place place) {
  Entry& entry = at(place);
  Place* link = &chains_[entry.chain];
  while (*link != place) link = &at(*link).next;
  *link = entry.next;
  octets_ -= octets_of(*entry.answer);
  --size_;
  entry.answer.reset();
  entry.next = std::exchange(free_, place);
}

// On by one entry, which goes if it has run out.
void DnsCache::turn_hand(SteadyTime now) {
  if (used_ == 0) return;
  hand_ = (hand_ + 1) % used_;
  if (const Entry& entry = at(hand_); entry.answer && entry.until <= now) drop(hand_);
}

// Whether there is room for an answer of `cost` octets now. A full table always yields an entry: half of the looks
// spare what was asked for.
bool DnsCache::make_room(size_t cost, SteadyTime now) {
  for (int looks = 0; looks < kLooks && !has_room(cost) && used_ > 0; ++looks) {
    turn_hand(now);
    Entry& entry = at(hand_);
    if (!entry.answer) continue;
    if (entry.asked_for && looks < kLooks / 2) {
      entry.asked_for = 0;
    } else {
      drop(hand_);
    }
  }
  return has_room(cost);
}

}  // namespace policyd
