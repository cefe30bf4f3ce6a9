#include "policyd/spf/received_spf.h"

#include <algorithm>

#include "policyd/spf/identity.h"
#include "shared/text.h"

namespace policyd {
namespace {

constexpr size_t kLongestValue = 100;

std::string cut(std::string_view text) {
  std::string shown = printable(text.substr(0, kLongestValue));
  if (text.size() > kLongestValue) shown += "...";
  return shown;
}

void append_escaped(std::string& out, std::string_view text, std::string_view special) {
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
}

bool is_atom_character(char c) {
  constexpr std::string_view kSpecial = "!#$%&'*+-/=?^_`{|}~";  // RFC 5322, 3.2.3
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kSpecial.find(c) != std::string_view::npos;
}

bool is_dot_atom(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos)
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || is_atom_character(c); });
}

// Left out where the pairs would grow longer than `longest`.
void append_pair(std::string& pairs, size_t longest, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  const std::string shown = cut(value);
  std::string pair(" ");
  pair.append(key).append("=");
  if (is_dot_atom(shown)) {
    pair.append(shown);
  } else {
    append_escaped(pair.append("\""), shown, "\"\\");
    pair.append("\"");
  }
  pair.append(";");
  if (pairs.size() + pair.size() <= longest) pairs.append(pair);
}

// What a person reads in the comment.
std::string sentence(const std::string& client, const std::string& mailbox, const SpfOutcome& outcome) {
  switch (outcome.result) {
    case SpfResult::pass: return "domain of " + mailbox + " designates " + client + " as permitted sender";
    case SpfResult::fail: return "domain of " + mailbox + " does not designate " + client + " as permitted sender";
    case SpfResult::softfail:
      return "domain of transitioning " + mailbox + " does not designate " + client + " as permitted sender";
    case SpfResult::neutral: return client + " is neither permitted nor denied by domain of " + mailbox;
    case SpfResult::none: return "domain of " + mailbox + " does not designate permitted sender hosts";
    case SpfResult::temperror: return "temporary error in processing during lookup of " + mailbox;
    case SpfResult::permerror: return "permanent error in processing during lookup of " + mailbox;
  }
  return {};
}

}  // namespace

std::string received_spf(const SpfQuery& query, const SpfOutcome& outcome, size_t longest) {
  const std::string client = query.client.to_string();
  const SpfIdentity identity(query.sender, query.helo);
  const std::string receiver = query.receiver.empty() ? "unknown" : query.receiver;
  const std::string_view result = spf_result_name(outcome.result);
  const size_t room = longest - result.size();
  std::string pairs;
  append_pair(pairs, room, "client-ip", client);
  append_pair(pairs, room, "identity", outcome.helo ? "helo" : "mailfrom");
  append_pair(pairs, room, "envelope-from", outcome.helo ? std::string_view("<>") : std::string_view(query.sender));
  append_pair(pairs, room, "helo", query.helo);
  append_pair(pairs, room, "receiver", receiver);
  append_pair(pairs, room, "mechanism", outcome.mechanism.empty() ? "default" : outcome.mechanism);
  append_pair(pairs, room, "problem", outcome.problem);
  // What programs read goes first, where there is not room for all.
  std::string comment(" (");
  append_escaped(comment, cut(receiver) + ": " + sentence(client, cut(identity.mailbox()), outcome), "()\\");
  comment += ")";
  if (comment.size() + pairs.size() > room) comment.clear();
  return std::string(result) + comment + pairs;
}

}  // namespace policyd
