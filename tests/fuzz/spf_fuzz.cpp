// libFuzzer target: SPF records, and their evaluation.
//
// The input is lines: the sender, the EHLO name, and TXT records of example.com, example.net, and so on in turn; every
// other name has an address, exchangers and a name that are made of its length. Whatever they hold, the evaluation
// ends, asks no more than RFC 7208 allows, and its outcome can be shown to people and put into a header; answers that
// come at once or one by one lead to the same. A record is good or has a flaw that is told in printable ASCII.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/spf/received_spf.h"
#include "policyd/spf/record.h"
#include "policyd/spf/spf.h"

namespace {

using namespace policyd;

void must(bool holds) {
  if (!holds) std::abort();
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

constexpr std::string_view kNames[] = {"example.com", "example.net", "example.org", "a.example.com"};

class FuzzResolver final : public Resolver {
 public:
  FuzzResolver(std::map<std::string, std::vector<std::string>> texts, bool later)
      : texts_(std::move(texts)), later_(later) {}

  DnsLookup query(std::string_view name, DnsType type) override {
    must(!name.empty() && name.size() <= 4 * 253);
    const std::string key = std::to_string(static_cast<int>(type)) + std::string(name);
    if (asked_.insert(key).second) must(asked_.size() <= 600);
    if (!later_ || answered_.contains(key)) return DnsLookup(answer_to(std::string(name), type));
    auto& pending = pending_[key];
    if (!pending) pending = std::make_unique<Pending>(std::string(name), type);
    return DnsLookup(*pending);
  }

  bool deliver() {
    if (pending_.empty()) return false;
    const auto one = std::move(pending_.extract(pending_.begin()));
    answered_.insert(one.key());
    one.mapped()->answer(answer_to(one.mapped()->name, one.mapped()->type), Milliseconds{0});
    return true;
  }

 private:
  struct Pending final : DnsQuery {
    Pending(std::string asked, DnsType asked_type) : name(std::move(asked)), type(asked_type) {}
    using DnsQuery::answer;
    std::string name;
    DnsType type;
  };

  DnsAnswerPtr answer_to(const std::string& name, DnsType type) const {
    auto answer = std::make_shared<DnsAnswer>();
    const size_t kind = name.size() % 16;
    answer->status = kind == 15  ? DnsStatus::server_failure
                     : kind > 12 ? DnsStatus::no_domain
                                 : DnsStatus::found;
    if (type == DnsType::txt) {
      const auto found = texts_.find(name);
      answer->status = found == texts_.end() ? DnsStatus::no_data : DnsStatus::found;
      if (found != texts_.end()) answer->texts = found->second;
    } else if (answer->found()) {
      for (size_t i = 0; i <= kind; ++i) {
        const std::string host = "h" + std::to_string(i) + "." + (name.size() < 100 ? name : "x.test");
        if (type == DnsType::mx) answer->exchangers.push_back({static_cast<uint16_t>(i), i == 5 ? "" : host});
        if (type == DnsType::ptr) answer->texts.push_back(host);
        if (type == DnsType::a) answer->addresses.push_back(*IpAddress::parse("192.0.2." + std::to_string(i)));
        if (type == DnsType::aaaa) answer->addresses.push_back(*IpAddress::parse("2001:db8::" + std::to_string(i)));
      }
    }
    return answer;
  }

  std::map<std::string, std::vector<std::string>> texts_;
  std::map<std::string, std::unique_ptr<Pending>> pending_;
  std::set<std::string> asked_, answered_;
  bool later_;
};

std::vector<std::string> lines_of(std::string_view input) {
  std::vector<std::string> lines;
  while (!input.empty()) {
    const size_t end = std::min(input.find('\n'), input.size());
    lines.emplace_back(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  return lines;
}

std::string evaluate(const std::vector<std::string>& lines, std::string_view client, bool later) {
  std::map<std::string, std::vector<std::string>> texts;
  for (size_t i = 2; i < lines.size(); ++i) texts[std::string(kNames[i % std::size(kNames)])].push_back(lines[i]);
  FuzzResolver resolver(std::move(texts), later);
  SpfQuery query;
  query.client = *IpAddress::parse(client);
  if (!lines.empty()) query.sender = lines[0];
  if (lines.size() > 1) query.helo = lines[1];
  const auto task = check_spf(resolver, query);
  task.start();
  while (!task.done()) must(resolver.deliver());
  const SpfOutcome outcome = task.result();
  const std::string header = received_spf(query, outcome);
  must(is_printable(outcome.explanation) && outcome.explanation.size() <= 1000);
  must(is_printable(header) && header.size() <= kLongestReceivedSpf);
  must(outcome.explanation.empty() || outcome.result == SpfResult::fail);
  return header + outcome.explanation;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> lines = lines_of(input);
  for (const std::string& line : lines) {
    const auto record = parse_spf_record("v=spf1 " + line);
    if (!record) must(is_printable(record.error().message));
  }
  for (const std::string_view client : {"192.0.2.3", "2001:db8::3"}) {
    must(evaluate(lines, client, false) == evaluate(lines, client, true));
  }
  return 0;
}
