// policyctl why, log and held: what was refused or held, when, and all that led to it.
//
// `log` reads page by page and prints as it reads, so that it needs no more memory for a million entries than for a
// hundred; with --limit it holds that many. Rows that were written twice (a lost answer of Redis) are left out.
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include "policyd/ctl/account_path.h"
#include "policyd/ctl/command.h"
#include "policyd/ctl/journal_text.h"
#include "policyd/ctl/table.h"
#include "shared/admin_api.h"
#include "shared/percent_encoding.h"

namespace policyd {

namespace {

constexpr int kUsualLimit = 100;
constexpr size_t kPage = 500;
constexpr size_t kRemembered = 10'000;  // entries, so that doubles are told
constexpr std::chrono::milliseconds kPoll{500};

struct LogOptions {
  std::string since, until, account, client, sender, recipient, action, check;
  int limit = 0;
  bool follow = false;

  // "&since=1h&...", what is given.
  [[nodiscard]] std::string query() const {
    std::string all;
    const std::string charged = asked_account(account);
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, const std::string&>>{
             {"since", since}, {"until", until}, {"account", charged}, {"client", client}, {"sender", sender},
             {"recipient", recipient}, {"action", action}, {"check", check}}) {
      if (!value.empty()) all.append("&").append(name).append("=").append(percent_encode(value));
    }
    return all;
  }
};

// The last so many entries that were seen.
class Doubles {
 public:
  // False: it has been seen.
  bool is_new(const Json& entry) {
    const std::string key = text_of(entry, "id") + " " + text_of(entry, "node");
    if (!seen_.insert(key).second) return false;
    order_.push_back(key);
    if (order_.size() > kRemembered) {
      seen_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  std::set<std::string> seen_;
  std::deque<std::string> order_;
};

class LogReader {
 public:
  LogReader(Session& session, const LogOptions& options) : session_(session), options_(options) {}

  int run() {
    const bool from_the_start = options_.limit == 0 && !options_.since.empty();
    const int done = from_the_start ? forward() : newest();
    return done == kDone && options_.follow ? follow() : done;
  }

 private:
  [[nodiscard]] Answer page(const std::string& order, size_t limit) {
    const std::string after = after_.empty() ? "" : "&after=" + after_;
    return session_.get("/v1/journal?order=" + order + "&limit=" + std::to_string(limit) + after + options_.query());
  }

  int print(const Json& entry) {
    if (!doubles_.is_new(entry)) return kDone;
    return session_.print(session_.options().json ? to_line(entry) + "\n" : entry_line(entry));
  }

  // Prints all there is behind after_.
  int forward() {
    for (bool more = true; more;) {
      const Answer answer = page("oldest", kPage);
      if (!answer.ok()) return session_.fail(answer);
      if (const int printed = take(answer.json, more); printed != kDone) return printed;
    }
    return kDone;
  }

  int take(const Json& found, bool& more) {
    after_ = text_of(found, "after");
    more = member_of(found, "more") == true;
    for (const auto& [index, entry] : member_of(found, "entries").items()) {
      if (const int printed = print(entry); printed != kDone) return printed;
    }
    return kDone;
  }

  // Prints the last so many, the oldest of them first; after_ is then behind all of them.
  int newest() {
    const size_t limit = static_cast<size_t>(options_.limit > 0 ? options_.limit : kUsualLimit);
    std::deque<Json> entries;
    std::string first;
    for (bool more = true; more && entries.size() < limit;) {
      const Answer answer = page("newest", std::min(kPage, limit - entries.size()));
      if (!answer.ok()) return session_.fail(answer);
      if (first.empty()) first = text_of(answer.json, "first");
      after_ = text_of(answer.json, "after");
      more = member_of(answer.json, "more") == true;
      for (const auto& [index, entry] : member_of(answer.json, "entries").items()) entries.push_front(entry);
    }
    after_ = first;
    for (const Json& entry : entries) {
      if (const int printed = print(entry); printed != kDone) return printed;
    }
    return kDone;
  }

  // Until ctrl-c. That policyd is away is told once, and so is that it is back.
  int follow() {
    for (bool away = false;;) {
      const Answer answer = page("oldest", kPage);
      if (away == answer.ok()) {
        away = !away;
        (void)session_.fail(kUnreachable, away ? answer.error + "; waiting for it" : "policyd answers again");
      }
      bool more = false;
      if (answer.ok()) {
        if (const int printed = take(answer.json, more); printed != kDone) return printed;
      }
      if (!more) std::this_thread::sleep_for(kPoll);
    }
  }

  Session& session_;
  const LogOptions options_;
  std::string after_;
  Doubles doubles_;
};

CommandAction declare_log(Arguments& takes) {
  const auto options = std::make_shared<LogOptions>();
  takes.text("--since", options->since, "how far back, e.g. 90m, 7d, or from when, e.g. 2026-11-21T10:00:00Z")
      .not_empty();
  takes.text("--until", options->until, "the same for the end").not_empty();
  takes.text("--account", options->account, "of this account").not_empty();
  takes.text("--client", options->client, "from this address or network").not_empty();
  takes.text("--sender", options->sender, "an address or a domain; <> is the null sender").not_empty();
  takes.text("--recipient", options->recipient, "an address or a domain").not_empty();
  takes.text("--action", options->action, "some of defer, hold, reject, with commas").not_empty();
  takes.text("--check", options->check, "to which this check, or outcome such as spf.fail, added").not_empty();
  takes.number("--limit", options->limit, {1, kMostListed}, "the last so many; without it and --since 100");
  takes.flag("-f,--follow", options->follow, "go on with what comes, until ctrl-c");
  return [options](Session& session) { return LogReader(session, *options).run(); };
}

CommandAction declare_why(Arguments& takes) {
  const auto id = std::make_shared<std::string>();
  takes.text("ID", *id, "what stands at the end of the reply, e.g. 7K2M-9QXW-1T5P").required().not_empty();
  return [id](Session& session) {
    return session.show(session.get("/v1/journal/" + percent_encode(*id)),
                        [](const Json& entry) { return entry_text(entry, terminal_width()); });
  };
}

CommandAction declare_held(Arguments& takes) {
  const auto since = std::make_shared<std::string>("7d");
  takes.text("--since", *since, "how far back, e.g. 12h, or from when, e.g. 2026-11-21T10:00:00Z")
      .shows_default()
      .not_empty();
  return [since](Session& session) {
    HeldMessages held;
    std::string after;
    for (bool more = true; more;) {
      const Answer answer = session.get("/v1/journal?held=yes&order=oldest&limit=" + std::to_string(kPage) +
                                        "&since=" + percent_encode(*since) + (after.empty() ? "" : "&after=" + after));
      if (!answer.ok()) return session.fail(answer);
      for (const auto& [index, entry] : member_of(answer.json, "entries").items()) held.add(entry);
      after = text_of(answer.json, "after");
      more = member_of(answer.json, "more") == true;
    }
    const Json json = held.to_json();
    return session.show(json, held_text(json, terminal_width()));
  };
}

constexpr Command kCommands[] = {
    {"", "why", "all that led to a refusal, by the id in its text", declare_why},
    {"", "log", "what was refused or held, a line each", declare_log},
    {"", "held", "what was held, why, and how to release it", declare_held},
};

}  // namespace

std::span<const Command> journal_commands() {
  return kCommands;
}

}  // namespace policyd
