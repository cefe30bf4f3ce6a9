// Parsers of single values; see config_values.h.
#include "shared/config_values.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "shared/address.h"
#include "shared/charged_name.h"
#include "shared/host_name.h"
#include "shared/text.h"

namespace policyd {
namespace {

constexpr size_t kLongestName = 64;
constexpr size_t kLongestHeaderName = 60;
constexpr size_t kLongestReplyText = 250;  // leaves room for the reasons in a reply of 510 octets
constexpr size_t kLongestLabel = 60;
constexpr size_t kLongestZone = 180;  // leaves room for a reversed IPv6 address in a name of 253

template <class... Arguments>
Error bad(std::string_view text, fmt::format_string<Arguments...> reason,
          Arguments&&... arguments) {
  return Error{quoted(text) + ' ' + fmt::format(reason, std::forward<Arguments>(arguments)...)};
}

bool consists_of(std::string_view text, std::string_view besides) {
  return std::all_of(text.begin(), text.end(), [besides](char c) {
    return is_alphanumeric(c) || besides.find(c) != std::string_view::npos;
  });
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(' ') == std::string_view::npos;
}

}  // namespace

Result<int> parse_mode(std::string_view text) {
  int mode = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), mode, 8);
  const bool octal =
      error == std::errc{} && end == text.end() && text.size() >= 3 && text.size() <= 4;
  if (octal && mode >= 0 && mode <= 0777) return mode;
  return bad(text, "is not a file mode; expected octal digits from \"0000\" to \"0777\"");
}

std::string format_mode(int mode) {
  return fmt::format("{:04o}", mode);
}

Result<std::string> parse_node(std::string_view text) {
  if (text.size() <= kLongestName && consists_of(text, "._-")) return std::string(text);
  return bad(
      text,
      "is not a node name: letters, digits, '.', '_' and '-', at most {}; empty for the host name",
      kLongestName);
}

Result<std::string> parse_prefix(std::string_view text) {
  if (!text.empty() && text.size() <= kLongestName && consists_of(text, ":._-"))
    return std::string(text);
  return bad(text,
             "is not a key prefix: letters, digits, ':', '.', '_' and '-', from 1 to {} of them",
             kLongestName);
}

Result<std::string> parse_dns_server(std::string_view text) {
  constexpr std::string_view kExpected =
      "expected an address, with a port unless it is 53: \"127.0.0.1:5353\", \"[::1]:5353\"";
  if (const auto alone = IpAddress::parse(text)) return alone->to_string();
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad(text, "is not a DNS server; {}", kExpected);
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  if (!address || bracketed != (host.find(':') != std::string_view::npos))
    return bad(text, "is not a DNS server; {}", kExpected);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), port);
  if (error != std::errc{} || end != digits.end() || port == 0 || port > 65535)
    return bad(text, "has a port that is none; {}", kExpected);
  const std::string canonical = address->to_string();
  if (port == 53) return canonical;
  return address->v6 ? fmt::format("[{}]:{}", canonical, port) : fmt::format("{}:{}", canonical, port);
}

Result<std::string> parse_zone(std::string_view text) {
  const std::string_view name = without_trailing_dot(text);
  if (name.find_first_of("=*") != std::string_view::npos) {
    return bad(text, "is not a zone: the filter belongs in answers, the weight in incoming and outgoing");
  }
  if (const std::string_view flaw = host_name_flaw(name); !flaw.empty()) {
    return bad(text, "{}; expected a zone such as \"zen.spamhaus.org\"", flaw);
  }
  if (name.size() > kLongestZone) return bad(text, "is too long: at most {} characters are allowed", kLongestZone);
  return to_lower(name);
}

Result<std::string> parse_zone_label(std::string_view text) {
  const bool fits = is_printable(text) && text.find_first_of("{}") == std::string_view::npos;
  if (fits && text.size() <= kLongestLabel && (text.empty() || !is_blank(text))) return std::string(text);
  return bad(text, "is not a label: printable ASCII without braces, at most {}, e.g. \"Spamhaus ZEN\"; empty for none",
             kLongestLabel);
}

Result<std::string> parse_host_name(std::string_view text) {
  if (IpAddress::parse(text) || text.starts_with('[')) {
    return bad(text, "is an address, not a host name; it belongs in own_addresses");
  }
  const std::string_view name = without_trailing_dot(text);
  if (const std::string_view flaw = host_name_flaw(name); !flaw.empty()) {
    return bad(text, "{}; expected a host name such as \"mx1.example.com\"", flaw);
  }
  return to_lower(name);
}

Result<std::string> parse_header_name(std::string_view text) {
  const bool visible =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~' && c != ':'; });
  if (visible && text.size() <= kLongestHeaderName) return std::string(text);
  return bad(text,
             "is not a header field name: visible ASCII without ':', at most {}, e.g. "
             "\"X-Policyd-Score\"; empty for none",
             kLongestHeaderName);
}

Result<std::string> parse_reply_text(std::string_view text) {
  if (is_blank(text))
    return bad(text, "is blank; Postfix would show the text of some earlier reply in its place");
  if (!is_printable(text))
    return bad(text, "holds characters that are not printable ASCII, as an SMTP reply has to be");
  if (text.size() <= kLongestReplyText) return std::string(text);
  return bad(text, "is too long: {} characters, at most {} are allowed", text.size(),
             kLongestReplyText);
}

namespace {

// A reply's text in which `names`, each with its braces, are filled in.
Result<std::string> parse_template(std::string_view text,
                                   std::initializer_list<std::string_view> names) {
  for (size_t i = text.find_first_of("{}"); i != std::string_view::npos;
       i = text.find_first_of("{}", i + 1)) {
    const size_t end = text.find('}', i);
    const std::string_view name = text.substr(i, end == std::string_view::npos ? end : end - i + 1);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return bad(text, "holds {}; only {} {} filled in", quoted(name, 40),
                 fmt::join(names, " and "), names.size() == 1 ? "is" : "are");
    }
    i = end;
  }
  return parse_reply_text(text);
}

}  // namespace

Result<std::string> parse_score_text(std::string_view text) {
  return parse_template(text, {"{reasons}", "{score}"});
}

Result<std::string> parse_greylist_text(std::string_view text) {
  return parse_template(text, {"{seconds}"});
}

Result<std::string> parse_command_word(std::string_view text) {
  if (!text.empty()) return std::string(text);
  return Error{"\"\" is empty; the command is a path such as \"/usr/lib/policyd/notify-mail\", and its arguments"};
}

Result<std::string> parse_redact_key(std::string_view text) {
  if (text.empty() || text.size() >= kLeastRedactKey) return std::string(text);
  constexpr auto reason = "has {} characters; expected at least {}, e.g. from `openssl rand -hex 16`, or \"\" for none";
  return Error{fmt::format(reason, text.size(), kLeastRedactKey)};
}

Result<std::string> parse_log_target(std::string_view text) {
  if (text == "stderr" || text == "syslog") return std::string(text);
  if (text.starts_with('/') && !text.ends_with('/')) return std::string(text);
  return bad(text, "is not a log target: \"stderr\", \"syslog\" or the absolute path of a file");
}

Result<std::string> parse_account_name(std::string_view text) {
  if (text.empty()) return bad(text, "is not an account: write \"default\", a domain or a login");
  if (text.size() > kLongestAccountName)
    return bad(text, "is too long: at most {} octets are allowed", kLongestAccountName);
  if (const size_t at = text.rfind('@'); at == 0 || (at == 1 && text[0] == '*')) {
    return bad(text, "is not an account; for all of a domain write \"{}\"", text.substr(at + 1));
  }
  if (text.ends_with('@')) return bad(text, "has no domain after the '@'");
  if (text.front() == ' ' || text.back() == ' ') return bad(text, "begins or ends with a space");
  if (IpAddress::parse(text.substr(0, text.find('/')))) {
    const Result<Network> network = Network::parse(text);
    if (!network) return network.error();
    return network->to_string();
  }
  return to_lower(text);
}

}  // namespace policyd
