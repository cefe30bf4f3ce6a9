// The table of keys, and how the values in it are parsed; see config_schema.h.
#include "shared/config_schema.h"

#include <algorithm>
#include <fmt/format.h>

#include "shared/config_rows.h"
#include "shared/config_values.h"
#include "shared/duration.h"

namespace policyd {
namespace {

Text<Milliseconds> duration(std::string_view example, Milliseconds least, Milliseconds most) {
  auto parse = [least, most](std::string_view text) -> Result<Milliseconds> {
    Result<Milliseconds> parsed = parse_duration(text);
    if (!parsed || (*parsed >= least && *parsed <= most)) return parsed;
    return Error{fmt::format("{} is out of range; expected a duration from {} to {}", quoted(text),
                             format_duration(least), format_duration(most))};
  };
  return {example, parse, format_duration};
}

Text<SmtpReply> smtp_reply() {
  constexpr std::string_view example = R"("550 5.7.1 Mail refused by local policy")";
  auto parse = [](std::string_view text) { return SmtpReply::parse(text); };
  return {example, parse, [](const SmtpReply& reply) { return reply.to_string(); }};
}

Text<int> file_mode(std::string_view example) {
  return {example, parse_mode, format_mode};
}

Text<Endpoint> admin_endpoint() {
  constexpr std::string_view example = R"("unix:/run/policyd/admin.sock")";
  auto parse = [](std::string_view text) -> Result<Endpoint> {
    Result<Endpoint> parsed = Endpoint::parse(text);
    if (!parsed || parsed->kind == Endpoint::Kind::unix_socket) return parsed;
    return Error{quoted(text) +
                 " is not a unix socket; the admin API has no authentication of its own, the "
                 "rights of the socket "
                 "decide who may use it: write \"unix:/PATH\""};
  };
  return {example, parse, [](const Endpoint& endpoint) { return endpoint.to_string(); }};
}

constexpr int kLargestThreshold = 10000;

KeyRow threshold_row(const KeyWords& words, Direction direction, int Thresholds::*threshold) {
  auto field = [ direction, threshold ](auto& config) -> auto& {
    return config.score.thresholds[static_cast<size_t>(direction)].*threshold;
  };
  return number_row(words, 0, kLargestThreshold, field);
}

using Rows = std::vector<KeyRow>;
constexpr auto kRestart = Reload::needs_restart;

// One function for each table of the file.
// clang-format off: a table is read by its columns
Rows server_rows() {
  using namespace std::chrono_literals;
  return {
    list_row(
        {"server.listen", R"(["inet:127.0.0.1:10031"])", "where Postfix asks", kRestart},
        value_of<Endpoint>(R"("inet:127.0.0.1:10031")"), [](auto& c) -> auto& { return c.server.listen; },
        Items::at_least_one),
    text_row(
        {"server.socket_mode", R"("0666")", "file mode of unix sockets", kRestart},
        file_mode(R"("0666")"), [](auto& c) -> auto& { return c.server.socket_mode; }),
    text_row(
        {"server.deadline", R"("3s")", "every request is answered by then"},
        duration(R"("3s")", 100ms, 90s), [](auto& c) -> auto& { return c.server.deadline; }),
    text_row(
        {"server.node", R"("")", "this node's name in the cluster", kRestart},
        plain(R"("mx1")", parse_node), [](auto& c) -> auto& { return c.server.node; }),
  };
}

Rows admin_rows() {
  return {
    list_row(
        {"admin.listen", R"(["unix:/run/policyd/admin.sock"])", "what policyctl talks to",
         kRestart},
        admin_endpoint(), [](auto& c) -> auto& { return c.admin.listen; }),
    text_row(
        {"admin.socket_mode", R"("0660")", "file mode of the admin sockets", kRestart},
        file_mode(R"("0660")"), [](auto& c) -> auto& { return c.admin.socket_mode; }),
  };
}

Rows store_rows() {
  using namespace std::chrono_literals;
  return {
    text_row(
        {"store.url", R"("memory:")", "where the state is kept", kRestart},
        value_of<StoreUrl>(R"("memory:")"), [](auto& c) -> auto& { return c.store.url; }),
    text_row(
        {"store.prefix", R"("policyd:")", "what every key in Redis begins with", kRestart},
        plain(R"("policyd:")", parse_prefix), [](auto& c) -> auto& { return c.store.prefix; }),
    text_row(
        {"store.timeout", R"("100ms")", "how long a request waits for Redis", kRestart},
        duration(R"("100ms")", 10ms, 5s), [](auto& c) -> auto& { return c.store.timeout; }),
  };
}

Rows dns_rows() {
  using namespace std::chrono_literals;
  return {
    list_row(
        {"dns.servers", "[]", "who is asked for names"},
        plain(R"("127.0.0.1:5353")", parse_dns_server), [](auto& c) -> auto& { return c.dns.servers; }),
    text_row(
        {"dns.timeout", R"("1s")", "how long a look-up takes at most"},
        duration(R"("1s")", 50ms, 30s), [](auto& c) -> auto& { return c.dns.timeout; }),
    number_row(
        {"dns.cache", "100000", "names that are remembered"}, 0, 10'000'000,
        [](auto& c) -> auto& { return c.dns.cache; }),
  };
}

Rows traffic_rows() {
  const auto network = value_of<Network>(R"("192.0.2.0/24")");
  return {
    list_row(
        {"traffic.networks", R"(["127.0.0.0/8", "::1/128"])", "clients whose mail is outgoing"},
        network, [](auto& c) -> auto& { return c.traffic.networks; }),
    list_row(
        {"traffic.own_names", "[]", "EHLO names that are ours"},
        plain(R"("mx1.example.com")", parse_host_name),
        [](auto& c) -> auto& { return c.traffic.own_names; }),
    list_row(
        {"traffic.own_addresses", "[]", "addresses that are ours"}, network,
        [](auto& c) -> auto& { return c.traffic.own_addresses; }),
    text_row(
        {"traffic.account", R"("login")", "whom outgoing mail is charged to"},
        one_of(R"("login")", {"login", "domain", "network"}), [](auto& c) -> auto& { return c.traffic.account; }),
    list_row(
        {"traffic.internal_domains", "[]", "domains of recipients that do not count"},
        plain(R"(".example.com")", parse_domain_pattern),
        [](auto& c) -> auto& { return c.traffic.internal_domains; }),
  };
}

Rows score_rows() {
  constexpr auto in = Direction::incoming, out = Direction::outgoing;
  return {
    text_row(
        {"score.header", R"("")", "header field that shows the score"},
        plain(R"("X-Policyd-Score")", parse_header_name),
        [](auto& c) -> auto& { return c.score.header; }),
    text_row(
        {"score.text", R"("Message refused: {reasons}")", "text of a refusal by the score"},
        plain(R"("Message refused: {reasons}")", parse_score_text),
        [](auto& c) -> auto& { return c.score.text; }),
    threshold_row({"score.incoming.defer", "20", "score that defers incoming mail"}, in,
                  &Thresholds::defer),
    threshold_row({"score.incoming.hold", "0", "score that holds incoming mail"}, in,
                  &Thresholds::hold),
    threshold_row({"score.incoming.reject", "30", "score that rejects incoming mail"}, in,
                  &Thresholds::reject),
    threshold_row({"score.outgoing.defer", "0", "score that defers outgoing mail"}, out,
                  &Thresholds::defer),
    threshold_row({"score.outgoing.hold", "0", "score that holds outgoing mail"}, out,
                  &Thresholds::hold),
    threshold_row({"score.outgoing.reject", "30", "score that rejects outgoing mail"}, out,
                  &Thresholds::reject),
  };
}

Rows blocks_rows() {
  return {
    text_row(
        {"blocks.reply", R"("550 5.7.1 Mail refused by local policy")",
         "what whoever is blocked is told"},
        smtp_reply(), [](auto& c) -> auto& { return c.blocks.reply; }),
  };
}

Rows locks_rows() {
  return {
    text_row(
        {"locks.action", R"("reject")", "what becomes of mail of a locked account"},
        one_of(R"("reject")", {"reject", "defer", "hold"}), [](auto& c) -> auto& { return c.locks.action; }),
  };
}

Rows limits_rows() {
  return {
    text_row(
        {"limits.text", R"("Sending limit reached")", "what whoever is over a limit is told"},
        plain(R"("Sending limit reached")", parse_reply_text),
        [](auto& c) -> auto& { return c.limits.text; }),
  };
}

Rows greylist_rows() {
  using namespace std::chrono_literals;
  return {
    flag_row({"greylist.enabled", "false", "whether incoming mail is greylisted"},
             [](auto& c) -> auto& { return c.greylist.enabled; }),
    text_row(
        {"greylist.block", R"("4m")", "how long a stranger's first attempts are put off"},
        duration(R"("4m")", 1s, 24h), [](auto& c) -> auto& { return c.greylist.block; }),
    text_row(
        {"greylist.pass", R"("360m")", "how long after the first attempt he may pass"},
        duration(R"("360m")", 1s, 30 * 24h), [](auto& c) -> auto& { return c.greylist.pass; }),
    text_row(
        {"greylist.record", R"("36d")", "how long who passed is remembered"},
        duration(R"("36d")", 1h, 366 * 24h), [](auto& c) -> auto& { return c.greylist.record; }),
    number_row({"greylist.min_score", "0", "score from which on mail is greylisted"}, 0,
               kLargestThreshold, [](auto& c) -> auto& { return c.greylist.min_score; }),
    number_row({"greylist.auto_allow", "5", "messages that passed, until a client never waits"}, 0,
               1000, [](auto& c) -> auto& { return c.greylist.auto_allow; }),
    flag_row({"greylist.null_sender", "false", "whether bounces are greylisted too"},
             [](auto& c) -> auto& { return c.greylist.null_sender; }),
    text_row(
        {"greylist.text", R"("Greylisted, please try again in {seconds} seconds")",
         "what whoever has to wait is told"},
        plain(R"("Greylisted, please try again in {seconds} seconds")", parse_greylist_text),
        [](auto& c) -> auto& { return c.greylist.text; }),
    flag_row({"greylist.dry_run", "false", "whether greylisting is logged only"},
             [](auto& c) -> auto& { return c.greylist.dry_run; }),
  };
}

Rows notify_rows() {
  using namespace std::chrono_literals;
  return {
    list_row(
        {"notify.command", "[]", "what is run to tell people of events"},
        plain(R"("/usr/lib/policyd/notify-mail")", parse_command_word),
        [](auto& c) -> auto& { return c.notify.command; }, Items::repeatable),
    text_row(
        {"notify.timeout", R"("10s")", "how long the command may take"},
        duration(R"("10s")", 1s, 5min), [](auto& c) -> auto& { return c.notify.timeout; }),
    text_row(
        {"notify.quiet", R"("1h")", "how long the same is not told again"},
        duration(R"("1h")", 1s, 30 * 24h), [](auto& c) -> auto& { return c.notify.quiet; }),
  };
}

Rows log_rows() {
  return {
    text_row(
        {"log.level", R"("info")", "what is logged"},
        one_of(R"("info")", {"trace", "debug", "info", "warn", "error"}),
        [](auto& c) -> auto& { return c.log.level; }),
    text_row(
        {"log.target", R"("stderr")", "where it is logged", kRestart},
        plain(R"("stderr")", parse_log_target), [](auto& c) -> auto& { return c.log.target; }),
    text_row(
        {"log.verdicts", R"("all")", "which verdicts get a line"},
        one_of(R"("all")", {"all", "refused", "none"}),
        [](auto& c) -> auto& { return c.log.verdicts; }),
  };
}

// The key is a secret: it is shown as stars, as many as it needs at least.
Text<std::string> redact_key() {
  return {R"("0123456789abcdef")", parse_redact_key,
          [](const std::string& key) { return std::string(key.empty() ? 0 : kLeastRedactKey, '*'); }};
}

Rows journal_rows() {
  using namespace std::chrono_literals;
  return {
    flag_row({"journal.enabled", "true", "whether refusals get an id and an entry in the journal"},
             [](auto& c) -> auto& { return c.journal.enabled; }),
    text_row(
        {"journal.keep", R"("30d")", "how long entries are kept"},
        duration(R"("30d")", 1h, 366 * 24h), [](auto& c) -> auto& { return c.journal.keep; }),
    number_row({"journal.max", "1000000", "entries that are kept at most"}, 1, 100'000'000,
               [](auto& c) -> auto& { return c.journal.max; }),
    flag_row({"journal.redact", "false", "whether addresses and logins in it are hashed"},
             [](auto& c) -> auto& { return c.journal.redact; }),
    text_row({"journal.redact_key", R"("")", "the secret that they are hashed with"}, redact_key(),
             [](auto& c) -> auto& { return c.journal.redact_key; }),
  };
}
// clang-format on

std::vector<KeyRow> make_rows() {
  Rows all;
  for (const auto rows : {server_rows, admin_rows, store_rows, dns_rows, traffic_rows, score_rows, blocks_rows,
                          locks_rows, limits_rows, greylist_rows, notify_rows, log_rows, journal_rows}) {
    const Rows table = rows();
    all.insert(all.end(), table.begin(), table.end());
  }
  return all;
}

}  // namespace

const std::vector<KeyRow>& key_rows() {
  static const std::vector<KeyRow> rows = make_rows();
  return rows;
}

const std::vector<AccountDefault>& account_defaults() {
  static const std::vector<AccountDefault> rows = {
      {"messages", R"(["60/1m", "500/1h"])"},
      {"recipients", R"(["1000/1h"])"},
      {"bytes", R"(["2GB/1d"])"},
      {"on_limit", R"("defer")"},
      {"distinct_recipients", R"(["500/1d"])"},
      {"client_networks", "[]"},
      {"invalid_recipients", R"(["50/1d"])"},
      {"spam", "[]"},
      {"limit_hits", "[]"},
      {"max_size", R"("none")"},
      {"max_recipients_per_message", "0"},
      {"senders", "[]"},
      {"sender_must_exist", "false"},
      {"block_outgoing_spam", "true"},
      {"auto_lock", "true"},
      {"lock_time", R"("1h")"},
      {"max_unlocks", "3"},
  };
  return rows;
}

void read_number(const ConfigNode& value, int least, int most, int& field,
                 const Complain& complain) {
  if (!value.is(ConfigNode::Kind::integer)) {
    return complain(value, fmt::format("expected a whole number such as {}, found {}",
                                       std::min(10, most), describe(value)));
  }
  if (value.integer < least || value.integer > most) {
    return complain(
        value, fmt::format("{} is out of range; expected {} to {}", value.integer, least, most));
  }
  field = static_cast<int>(value.integer);
}

void read_flag(const ConfigNode& value, bool& field, const Complain& complain) {
  if (!value.is(ConfigNode::Kind::boolean)) return complain(value, "expected true or false, found " + describe(value));
  field = value.boolean;
}

bool is_text(const ConfigNode& value, std::string_view example, const Complain& complain) {
  if (!value.is(ConfigNode::Kind::string)) {
    complain(value,
             fmt::format("expected a string such as {}, found {}", example, describe(value)));
    return false;
  }
  for (unsigned char c : value.text) {
    if (c >= 0x20 && c != 0x7f) continue;
    complain(value, fmt::format("holds the control character \\x{:02x}; remove it", c));
    return false;
  }
  return true;
}

}  // namespace policyd
