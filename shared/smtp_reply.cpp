// SMTP replies as operators write them: see smtp_reply.h.
//
// What Postfix would misread is an Error here, long before it can be sent: a reply without text, a
// code that is not a refusal, an enhanced code of another class, a line that Postfix would cut.
#include "shared/smtp_reply.h"

#include <algorithm>

#include "shared/text.h"

namespace policyd {
namespace {

constexpr std::string_view kExample = R"("550 5.7.1 Mail refused by local policy")";
constexpr size_t kMaximumLength = 510;  // longer ones Postfix cuts

bool is_printable(char c) {
  return c >= 0x20 && c <= 0x7e;
}

Error bad_reply(std::string_view text, std::string_view reason) {
  return {quoted(text) + " is not an SMTP reply: " + std::string(reason) + "; expected e.g. " +
          std::string(kExample)};
}

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find(' '));
}

// Three digits, alone or before a space (or the '-' of a reply of several lines).
bool begins_with_code(std::string_view text) {
  if (text.size() < 3 || !std::all_of(text.begin(), text.begin() + 3, is_digit)) return false;
  return text.size() == 3 || text[3] == ' ' || text[3] == '-';
}

// "5.7.1", and what was surely meant as one: "5.7", "5.7.1000".
bool looks_enhanced(std::string_view word) {
  const auto dots = std::count(word.begin(), word.end(), '.');
  const bool clean =
      std::all_of(word.begin(), word.end(), [](char c) { return is_digit(c) || c == '.'; });
  return clean && (dots == 1 || dots == 2) && is_digit(word.front()) && is_digit(word.back());
}

// RFC 3463, section 2: class "." subject "." detail, the latter of one to three digits.
bool is_enhanced(std::string_view word) {
  const auto is_part = [](std::string_view part) {
    return !part.empty() && part.size() <= 3 && std::all_of(part.begin(), part.end(), is_digit);
  };
  const size_t first = word.find('.');
  const size_t second = word.find('.', first + 1);
  if (first != 1 || second == std::string_view::npos) return false;
  return is_part(word.substr(first + 1, second - first - 1)) && is_part(word.substr(second + 1));
}

// Takes `rest` as the text of `reply`, whose codes are set.
Result<SmtpReply> with_text(std::string_view whole, SmtpReply reply, std::string_view rest) {
  reply.text = trim(rest);
  if (reply.text.empty())
    return bad_reply(whole, "the text is missing, and Postfix would send that of another reply");
  if (!std::all_of(reply.text.begin(), reply.text.end(), is_printable)) {
    return bad_reply(whole, "the text is printable ASCII only");
  }
  if (reply.to_string().size() > kMaximumLength) {
    return bad_reply(whole, "it is longer than " + std::to_string(kMaximumLength) + " octets");
  }
  return reply;
}

}  // namespace

Result<SmtpReply> SmtpReply::parse(std::string_view whole) {
  const std::string_view text = trim(whole);
  if (!begins_with_code(text)) return bad_reply(whole, "it begins with a code of three digits");
  if (text[0] != '4' && text[0] != '5')
    return bad_reply(whole, "the code is 4xx (try again) or 5xx (refused)");
  if (text.size() > 3 && text[3] == '-')
    return bad_reply(whole, "it is a single line, with a space after the code");

  SmtpReply reply;
  reply.code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  reply.enhanced = std::string(1, text[0]) + ".7.1";
  std::string_view rest = trim(text.substr(3));
  const std::string_view word = first_word(rest);
  if (!word.empty() && looks_enhanced(word)) {
    if (!is_enhanced(word))
      return bad_reply(whole, quoted(word) + " is not an enhanced status code");
    if (word[0] != text[0]) {
      return bad_reply(whole, "the enhanced status code " + std::string(word) +
                                  " does not match the code " + std::to_string(reply.code));
    }
    reply.enhanced = word;
    rest.remove_prefix(word.size());
  }
  return with_text(whole, std::move(reply), rest);
}

Result<SmtpReply> SmtpReply::parse(std::string_view whole, const SmtpReply& base) {
  const std::string_view text = trim(whole);
  if (begins_with_code(text)) return parse(whole);
  if (is_enhanced(first_word(text))) {
    return bad_reply(whole, "the code of three digits is missing before the enhanced status code");
  }
  return with_text(whole, base, text);
}

}  // namespace policyd
