// libFuzzer target: answer filters from any text.
//
// What is a filter matches as a reading by the letter of the syntax says (each octet on its own, number by number), is
// the same when it is written with every number spelt out, and never matches what is no IPv4 address in 127.0.0.0/8.
// What is none is an Error that says why. A property that does not hold aborts.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "shared/answer_filter.h"

namespace {

using namespace policyd;

void must(bool holds) {
  if (!holds) std::abort();
}

IpAddress address_of(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  IpAddress address;
  address.octets = {a, b, c, d};
  return address;
}

// "[2;3;11]": the values of one octet for which `filter` matches, when the others are as in `sample`.
std::string spelt_out(const AnswerFilter& filter, IpAddress sample, size_t octet) {
  std::string set;
  for (int value = 0; value < 256; ++value) {
    sample.octets[octet] = static_cast<uint8_t>(value);
    if (filter.matches(sample)) set.append(set.empty() ? "[" : ";").append(std::to_string(value));
  }
  return set + "]";
}

// Some address that matches: the octets are independent of each other, so each can be looked for alone.
IpAddress sample_of(std::string_view text) {
  IpAddress sample;
  for (size_t octet = 0; octet < 4; ++octet) {
    if (text.starts_with('[')) text.remove_prefix(1);
    int value = 0;
    size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9')
      value = value * 10 + (text[digits++] - '0');
    sample.octets[octet] = static_cast<uint8_t>(value);
    const size_t bracket = text.find(']');
    const size_t dot = text.find('.');
    const bool in_brackets =
        bracket != std::string_view::npos && text.substr(0, bracket).find('[') == std::string_view::npos;
    text.remove_prefix(in_brackets ? bracket + 1 : std::min(dot, text.size()));
    if (text.starts_with('.')) text.remove_prefix(1);
  }
  return sample;
}

void check_filter(std::string_view text, const AnswerFilter& filter) {
  must(filter.to_string() == text);
  must(!filter.matches(IpAddress{{}, true}));
  if (text.empty()) return must(filter.matches(address_of(10, 0, 0, 1)));
  must(!filter.matches(address_of(128, 0, 0, 2)) && !filter.matches(address_of(0, 0, 0, 0)));
  const IpAddress sample = sample_of(text);
  must(filter.matches(sample) && sample.octets[0] == 127);
  std::string whole;
  for (size_t octet = 0; octet < 4; ++octet)
    whole.append(octet == 0 ? "" : ".").append(spelt_out(filter, sample, octet));
  const auto again = AnswerFilter::parse(whole);
  must(again.ok() && *again == filter);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto filter = AnswerFilter::parse(text);
  if (filter) {
    check_filter(text, *filter);
  } else {
    must(!filter.error().message.empty());
  }
  return 0;
}
