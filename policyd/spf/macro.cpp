#include "policyd/spf/macro.h"

#include <algorithm>
#include <vector>

#include "shared/control_octets.h"
#include "shared/host_name.h"
#include "shared/text.h"

namespace policyd {
namespace {

constexpr size_t kLongestName = 253, kLongestLabel = 63;
constexpr std::string_view kLetters = "slodiphcrtv", kOnlyInExplanations = "crt", kDelimiters = ".-+,/_=";

bool is_ascii(char c) { return static_cast<uint8_t>(c) < 0x80; }

// One "%{...}".
struct Macro {
  char letter = 0;  // in lower case
  bool escaped = false;
  bool reversed = false;
  size_t parts = 0;  // from the right; 0: all
  std::string_view delimiters;

  [[nodiscard]] bool transforms() const { return reversed || parts > 0 || !delimiters.empty(); }
};

// Goes through a text piece by piece: a run of literal characters, what one of %% %_ %- stands for, or a macro.
class Scanner {
 public:
  enum class Piece : uint8_t { end, literal, escape, macro, flaw };

  explicit Scanner(std::string_view whole) : rest_(whole) {}

  Piece next() {
    if (rest_.empty()) return Piece::end;
    if (rest_[0] != '%') {
      text = rest_.substr(0, rest_.find('%'));
      rest_.remove_prefix(text.size());
      return Piece::literal;
    }
    const char kind = rest_.size() > 1 ? rest_[1] : '\0';
    if (kind == '{') return read_macro();
    text = kind == '%' ? "%" : kind == '_' ? " " : kind == '-' ? "%20" : "";
    if (text.empty()) return Piece::flaw;
    rest_.remove_prefix(2);
    return Piece::escape;
  }

  std::string_view text;  // literal, escape
  Macro macro;            // macro

 private:
  // macro-letter transformers *delimiter
  Piece read_macro() {
    const size_t end = rest_.find('}');
    if (end == std::string_view::npos || end < 3) return Piece::flaw;
    std::string_view inner = rest_.substr(2, end - 2);
    rest_.remove_prefix(end + 1);
    macro = {};
    macro.letter = lower(inner[0]);
    macro.escaped = macro.letter != inner[0];
    if (kLetters.find(macro.letter) == std::string_view::npos) return Piece::flaw;
    inner.remove_prefix(1);
    if (!read_parts(inner)) return Piece::flaw;
    if (!inner.empty() && lower(inner[0]) == 'r') {
      macro.reversed = true;
      inner.remove_prefix(1);
    }
    macro.delimiters = inner;
    return inner.find_first_not_of(kDelimiters) == std::string_view::npos ? Piece::macro : Piece::flaw;
  }

  bool read_parts(std::string_view& inner) {
    constexpr size_t kMost = 10'000;  // more than any value has
    bool any = false;
    for (; !inner.empty() && is_digit(inner[0]); inner.remove_prefix(1)) {
      any = true;
      macro.parts = std::min(macro.parts * 10 + static_cast<size_t>(inner[0] - '0'), kMost);
    }
    return !any || macro.parts > 0;
  }

  std::string_view rest_;
};

// The end of a domain-spec that is no macro: "." toplabel [ "." ], all of it literal.
bool ends_in_top_label(std::string_view literal) {
  literal = without_trailing_dot(literal);
  const size_t dot = literal.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view label = literal.substr(dot + 1);
  const auto is_label_character = [](char c) { return is_alphanumeric(c) || c == '-'; };
  return !label.empty() && std::all_of(label.begin(), label.end(), is_label_character) &&
         !std::all_of(label.begin(), label.end(), is_digit) && label.front() != '-' && label.back() != '-';
}

enum class Use : uint8_t { macro_string, domain_spec, explain_string };

std::string_view flaw_of(std::string_view text, Use use) {
  const char lowest = use == Use::explain_string ? 0x20 : 0x21;
  bool well_ended = false;
  for (Scanner scanner(text);;) {
    switch (scanner.next()) {
      case Scanner::Piece::flaw: return "a macro that does not exist, or that is badly formed";
      case Scanner::Piece::end:
        return use != Use::domain_spec || well_ended ? ""
                                                     : "the domain ends neither in a top-level label nor in a macro";
      case Scanner::Piece::escape: well_ended = true; break;
      case Scanner::Piece::macro:
        if (use == Use::domain_spec && kOnlyInExplanations.find(scanner.macro.letter) != std::string_view::npos)
          return "a macro that is for explanations only";
        well_ended = true;
        break;
      case Scanner::Piece::literal:
        if (!std::all_of(scanner.text.begin(), scanner.text.end(),
                         [lowest](char c) { return c >= lowest && c < 0x7f; }))
          return "a character beyond printable ASCII";
        well_ended = ends_in_top_label(scanner.text);
    }
  }
}

// "2.0.0.1.0.d.b.8...": made to be reversed.
std::string dotted(const IpAddress& client) {
  if (!client.v6) return client.to_string();
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string name;
  name.reserve(64);
  for (const uint8_t octet : client.octets) name.append({kHex[octet >> 4], '.', kHex[octet & 0x0f], '.'});
  name.pop_back();
  return name;
}

// `made` holds the values that are not there as text.
std::string_view value_of(char letter, const MacroValues& values, std::string& made) {
  switch (letter) {
    case 's': return values.sender;
    case 'l': return values.local_part;
    case 'o': return values.sender_domain;
    case 'd': return values.domain;
    case 'h': return values.helo;
    case 'p': return values.validated;
    case 'r': return values.receiver;
    case 'v': return values.client.v6 ? "ip6" : "in-addr";
    case 'i': return made = dotted(values.client);
    case 'c': return made = values.client.to_string();
    default: return made = std::to_string(values.now);  // t
  }
}

// Split, reversed, of that the right-hand parts, joined with dots (RFC 7208, 7.3).
std::string transformed(std::string_view value, const Macro& macro) {
  const std::string_view delimiters = macro.delimiters.empty() ? "." : macro.delimiters;
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = value.find_first_of(delimiters);
    parts.push_back(value.substr(0, end));
    if (end == std::string_view::npos) break;
    value.remove_prefix(end + 1);
  }
  if (macro.reversed) std::reverse(parts.begin(), parts.end());
  const size_t kept = macro.parts == 0 ? parts.size() : std::min(macro.parts, parts.size());
  std::string joined;
  for (size_t i = parts.size() - kept; i < parts.size(); ++i) {
    joined.append(parts[i]);
    if (i + 1 < parts.size()) joined.push_back('.');
  }
  return joined;
}

// All but the "unreserved" set of RFC 3986 percent-encoded.
void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF", kUnreserved = "-._~";
  for (const char c : text) {
    const auto octet = static_cast<uint8_t>(c);
    if (is_alphanumeric(c) || kUnreserved.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      out.append({'%', kHex[octet >> 4], kHex[octet & 0x0f]});
    }
  }
}

// What a stranger's record may have a stranger's address copied, split and turned round for: some values of the longest
// kind, and far more of those that there are.
constexpr size_t kMostExpanded = size_t{32} * 1024;
constexpr size_t kCostOfMacro = 16;

// The octets that were looked at.
size_t append_value(std::string& out, const Macro& macro, const MacroValues& values) {
  std::string made;
  std::string_view value = value_of(macro.letter, values, made);
  std::string changed;
  const size_t cost = kCostOfMacro + value.size();
  if (macro.transforms()) value = changed = transformed(value, macro);
  macro.escaped ? append_escaped(out, value) : static_cast<void>(out.append(value));
  return cost;
}

// The beginning of an explanation, of at least kLongestExplanation where there is as much.
std::string expand_explanation(std::string_view text, const MacroValues& values) {
  std::string out;
  size_t expanded = 0;
  for (Scanner scanner(text); out.size() <= kLongestExplanation && expanded <= kMostExpanded;) {
    const Scanner::Piece piece = scanner.next();
    if (piece == Scanner::Piece::end || piece == Scanner::Piece::flaw) break;
    if (piece == Scanner::Piece::macro) {
      expanded += append_value(out, scanner.macro, values);
    } else {
      out.append(scanner.text);
    }
  }
  return out;
}

// The end of a name, from which nothing that can be in a name is missing: of what a long one begins with nothing is
// looked at. Nothing where even its end asks for more than kMostExpanded.
std::optional<std::string> expand_end(std::string_view domain_spec, const MacroValues& values) {
  struct Part {
    Scanner::Piece piece;
    std::string_view text;
    Macro macro;
  };
  std::vector<Part> parts;
  for (Scanner scanner(domain_spec);;) {
    const Scanner::Piece piece = scanner.next();
    if (piece == Scanner::Piece::end || piece == Scanner::Piece::flaw) break;
    parts.push_back({piece, scanner.text, scanner.macro});
  }
  std::string name;
  size_t expanded = 0;
  for (auto part = parts.rbegin(); part != parts.rend() && name.size() <= 8 * kLongestName; ++part) {
    std::string value;
    if (part->piece == Scanner::Piece::macro) {
      expanded += append_value(value, part->macro, values);
      if (expanded > kMostExpanded) return std::nullopt;
    } else {
      value = part->text;
    }
    name.insert(0, value);
  }
  return name;
}

// Labels go from the left until the rest fits (RFC 7208, 7.3). Where no rest does, the name stays, and is not
// askable.
void shorten(std::string& name) {
  if (name.ends_with('.')) name.pop_back();
  if (name.size() <= kLongestName) return;
  const size_t dot = name.find('.', name.size() - kLongestName - 1);
  if (dot != std::string::npos) name.erase(0, dot + 1);
}

bool is_ascii_text(std::string_view text) { return std::all_of(text.begin(), text.end(), is_ascii); }

// Local parts, and what a client calls itself, are in the DNS in ASCII alone (RFC 8616, 4); in a domain U-labels
// stand for A-labels.
bool in_no_name(std::string_view domain_spec, const MacroValues& values) {
  const bool local_part = is_ascii_text(values.local_part), helo = is_ascii_text(values.helo);
  return (!local_part && (uses_macro(domain_spec, 'l') || uses_macro(domain_spec, 's'))) ||
         (!helo && uses_macro(domain_spec, 'h'));
}

}  // namespace

std::string_view macro_string_flaw(std::string_view text) { return flaw_of(text, Use::macro_string); }
std::string_view domain_spec_flaw(std::string_view text) { return flaw_of(text, Use::domain_spec); }
std::string_view explain_string_flaw(std::string_view text) { return flaw_of(text, Use::explain_string); }

bool uses_macro(std::string_view text, char letter) {
  for (Scanner scanner(text);;) {
    const Scanner::Piece piece = scanner.next();
    if (piece == Scanner::Piece::end || piece == Scanner::Piece::flaw) return false;
    if (piece == Scanner::Piece::macro && scanner.macro.letter == letter) return true;
  }
}

std::optional<std::string> target_name(std::string_view domain_spec, const MacroValues& values) {
  std::string name;
  if (domain_spec.find('%') == std::string_view::npos) {
    name = to_lower(domain_spec.empty() ? values.domain : domain_spec);
  } else {
    if (in_no_name(domain_spec, values)) return std::nullopt;
    const auto expanded = expand_end(domain_spec, values);
    if (!expanded) return std::nullopt;
    name = to_lower(*expanded);
  }
  shorten(name);
  if (!is_askable(name)) return std::nullopt;
  return name;
}

std::string explanation_text(std::string_view explain_string, const MacroValues& values) {
  std::string text = expand_explanation(explain_string, values);
  if (text.size() > kLongestExplanation) text.resize(kLongestExplanation);
  return printable(text);
}

bool is_askable(std::string_view name) {
  size_t labels = 0, characters = 0, all_characters = 0;
  for (size_t i = 0; i <= name.size(); ++i) {
    if (i == name.size() || name[i] == '.') {
      if (characters == 0 || characters > kLongestLabel) return false;
      ++labels;
      all_characters += characters + 1;
      characters = 0;
      continue;
    }
    if (is_control(name[i])) return false;
    // In UTF-8 a U-label may be longer than its A-label: each character counts once.
    if ((static_cast<uint8_t>(name[i]) & 0xc0) != 0x80) ++characters;
  }
  return labels >= 2 && all_characters - 1 <= kLongestName;
}

}  // namespace policyd
