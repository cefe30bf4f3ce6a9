// How a single value of the configuration is read from text and written back.
//
// One parser per kind of value that has no type of its own. Each takes the text without TOML's
// quotes and returns an Error that quotes it and says what is expected. Control characters have
// been refused before. Pure.
#pragma once

#include <string>
#include <string_view>

#include "shared/result.h"

namespace policyd {

// "0660": three or four octal digits, at most 0777.
Result<int> parse_mode(std::string_view text);
std::string format_mode(int mode);

// A name of this node in the cluster: letters, digits and . _ - , at most 64; or empty.
Result<std::string> parse_node(std::string_view text);

// What every key in the store begins with: letters, digits and : . _ - , 1 to 64 of them. (No
// braces, which would change the slot in a cluster, and no wildcards, which would widen the
// patterns that keys are looked for with.)
Result<std::string> parse_prefix(std::string_view text);

// A DNS server, "127.0.0.1:5353", "[::1]:5353", or without a port for 53; the canonical text, which leaves out ":53".
Result<std::string> parse_dns_server(std::string_view text);

// The zone of a DNS list; lower-cased, without a trailing dot. Short enough for what is asked for in it.
Result<std::string> parse_zone(std::string_view text);

// What clients are told of a list: printable ASCII without braces, at most 60; or empty.
Result<std::string> parse_zone_label(std::string_view text);

// A host name; lower-cased, without a trailing dot.
Result<std::string> parse_host_name(std::string_view text);

// A header field's name (RFC 5322, 2.2), at most 60; or empty.
Result<std::string> parse_header_name(std::string_view text);

// The text of a refusal: printable ASCII, not blank, at most 250; `{score}` and `{reasons}` are the
// only braces.
Result<std::string> parse_score_text(std::string_view text);
// The same with `{seconds}` as the only braces.
Result<std::string> parse_greylist_text(std::string_view text);
// The same without braces.
Result<std::string> parse_reply_text(std::string_view text);

// A word of a command line; not empty.
Result<std::string> parse_command_word(std::string_view text);
// A secret of at least so many characters, or empty for none. The Error does not repeat it.
inline constexpr size_t kLeastRedactKey = 16;
Result<std::string> parse_redact_key(std::string_view text);

// "stderr", "syslog", or the absolute path of a file.
Result<std::string> parse_log_target(std::string_view text);

// The name of a table under [accounts], lower-cased: "default", a domain, a login, or a client's address or network
// in its shortest form.
Result<std::string> parse_account_name(std::string_view text);

}  // namespace policyd
