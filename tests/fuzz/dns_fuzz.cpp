// libFuzzer target: DNS answers of any octets. The first octet chooses the type that was asked for, the others are the
// message.
//
// Whatever comes, the answer agrees with its status: something is found only where there is something, and only of the
// type that was asked for. The same message, cut by an octet or read for another type, is read without harm. A property
// that does not hold aborts; memory is watched by the sanitizers that the target is built with.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policyd/dns/message.h"

namespace {

using namespace policyd;

void must(bool holds) {
  if (!holds) std::abort();
}

void check(const DnsReply& reply, DnsType type) {
  const DnsAnswer& answer = reply.answer;
  const bool addresses = type == DnsType::a || type == DnsType::aaaa;
  const size_t count = answer.addresses.size() + answer.texts.size() + answer.exchangers.size();
  must(answer.found() == (count > 0) && count <= kMostRecords);
  must(answer.status != DnsStatus::timed_out);
  must(answer.addresses.empty() || addresses);
  must(answer.exchangers.empty() || type == DnsType::mx);
  must(answer.texts.empty() || type == DnsType::txt || type == DnsType::ptr);
  must(!answer.found() || reply.ttl);
  must(!reply.ttl || (reply.ttl->count() >= 0 && !answer.unknown()));
  for (size_t i = 1; i < answer.exchangers.size(); ++i) {
    must(answer.exchangers[i - 1].preference <= answer.exchangers[i].preference);
  }
  if (type != DnsType::ptr) return;
  for (const auto& name : answer.texts) {
    for (const char c : name) must(c > ' ' && c < 0x7f && !(c >= 'A' && c <= 'Z'));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto asked = static_cast<DnsType>(data[0] % 5);
  check(parse_message(octets, asked), asked);
  if (!octets.empty()) check(parse_message(octets.substr(0, octets.size() - 1), asked), asked);
  return 0;
}
