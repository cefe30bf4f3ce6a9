// What makes a reply well-formed. Contract: reply_tally.h.
#include "tests/bench/reply_tally.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace policyd::bench {
namespace {

bool is_word(std::string_view word) {
  auto all = [&](int (*kind)(int)) {
    return std::all_of(word.begin(), word.end(),
                       [&](unsigned char c) { return kind(c) || c == '_'; });
  };
  if (word.empty()) return false;
  if (word[0] == '4' || word[0] == '5') return word.size() == 3 && all(std::isdigit);
  return all(std::isalpha);
}

// The action of a reply that is framed as it should be; empty, which no action may be, if it is
// not.
std::string_view unframe(std::string_view reply) {
  constexpr std::string_view kName = "action=", kEnd = "\n\n";
  if (!reply.starts_with(kName) || !reply.ends_with(kEnd)) return {};
  reply.remove_prefix(kName.size());
  reply.remove_suffix(kEnd.size());
  auto is_control = [](unsigned char c) { return std::iscntrl(c) != 0; };
  if (reply.size() > 510 || std::any_of(reply.begin(), reply.end(), is_control)) return {};
  return reply;
}

bool is_well_formed(std::string_view word, std::string_view action) {
  if (!is_word(word)) return false;
  if (word == "DUNNO" || word == "OK" || word == "PERMIT") return true;
  std::string_view text = action.substr(std::min(action.size(), word.size() + 1));
  // An enhanced status code is no text.
  if (size_t space = text.find(' ');
      !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])))
    text = space == text.npos ? std::string_view{} : text.substr(space + 1);
  return text.find_first_not_of(' ') != text.npos;
}

std::string escape(std::string_view octets) {
  std::string shown;
  for (unsigned char c : octets.substr(0, 200)) {
    char escaped[5];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", c);
    shown += c == '\n'                                  ? "\\n"
             : std::isprint(c) && c != '"' && c != '\\' ? std::string(1, static_cast<char>(c))
                                                        : escaped;
  }
  return shown;
}

}  // namespace

void ReplyTally::count_other(std::string_view reply) {
  std::string_view action = unframe(reply);
  std::string_view word = action.substr(0, action.find(' '));
  if (is_well_formed(word, action)) {
    auto found = others_.find(word);
    if (found == others_.end()) found = others_.emplace(word, 0).first;
    ++found->second;
    return;
  }
  if (malformed_++ == 0) first_malformed_ = escape(reply);
}

std::map<std::string, uint64_t> ReplyTally::words() const {
  std::map<std::string, uint64_t> words(others_.begin(), others_.end());
  if (dunno_ > 0) words["DUNNO"] += dunno_;
  return words;
}

}  // namespace policyd::bench
