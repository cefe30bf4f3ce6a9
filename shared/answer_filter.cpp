#include "shared/answer_filter.h"

#include <charconv>
#include <optional>

#include "shared/text.h"

namespace policyd {

namespace {

constexpr int kListNet = 127;

// Reads a filter from its beginning to its end; what is wrong is kept as the end of a sentence.
class FilterReader {
 public:
  explicit FilterReader(std::string_view text) : rest_(text) {}

  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  // A number or a set in brackets.
  bool octet(std::bitset<256>& values) {
    if (!take("[")) {
      const auto only = number();
      if (only) values.set(*only);
      return only.has_value();
    }
    do {
      if (!range(values)) return false;
    } while (take(";"));
    return take("]") || fail("a bracket is not closed, or something other than a number, \"..\" or ';' stands in it");
  }

  bool fail(std::string why) {
    if (why_.empty()) why_ = std::move(why);
    return false;
  }
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  std::optional<size_t> number() {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error == std::errc::invalid_argument) {
      fail("a number is missing");
      return std::nullopt;
    }
    const std::string_view digits = rest_.substr(0, static_cast<size_t>(end - rest_.data()));
    if (error != std::errc{} || value > 255) {
      fail(quoted(digits, 20) + " is more than 255");
      return std::nullopt;
    }
    rest_.remove_prefix(digits.size());
    return value;
  }

  bool range(std::bitset<256>& values) {
    const auto first = number();
    if (!first) return false;
    const auto last = take("..") ? number() : first;
    if (!last) return false;
    if (*last < *first) {
      return fail(std::to_string(*first) + ".." + std::to_string(*last) +
                  " is empty: it goes from the larger to the smaller");
    }
    for (size_t value = *first; value <= *last; ++value) values.set(value);
    return true;
  }

  std::string_view rest_;
  std::string why_;
};

}  // namespace

Result<AnswerFilter> AnswerFilter::parse(std::string_view text) {
  AnswerFilter filter;
  if (text.empty()) return filter;
  filter.text_ = text;
  FilterReader reader(text);
  const auto read = [&reader, &filter] {
    for (size_t i = 0; i < filter.octets_.size(); ++i) {
      if (i > 0 && !reader.take(".")) return reader.fail("four octets with dots between them are needed");
      if (!reader.octet(filter.octets_[i])) return false;
    }
    if (!reader.at_end()) return reader.fail("something follows the fourth octet");
    if (filter.octets_[0].count() != 1 || !filter.octets_[0].test(kListNet)) {
      return reader.fail("what a list answers begins with 127");
    }
    return true;
  };
  if (read()) return filter;
  return Error{quoted(text) + " is not an answer filter: " + reader.why() + "; expected e.g. \"127.0.0.[2..11;30]\""};
}

bool AnswerFilter::matches(const IpAddress& answer) const {
  if (answer.v6) return false;
  if (any()) return true;
  for (size_t i = 0; i < octets_.size(); ++i) {
    if (!octets_[i].test(answer.octets[i])) return false;
  }
  return true;
}

bool AnswerFilter::is_exactly(const IpAddress& answer) const {
  if (any() || !matches(answer)) return false;
  for (const Octet& octet : octets_) {
    if (octet.count() != 1) return false;
  }
  return true;
}

}  // namespace policyd
