// The configuration: what policyd.toml says, with every default filled in.
//
// load_config() reads a file once and reports ALL errors it finds, each as "FILE:LINE:COLUMN: KEY: REASON". The
// schema (config_schema.cpp) is one table of rows, from which validation, defaults, `config show` and the test of
// conf/policyd.toml come. toml++ is used in the loader only.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shared/address.h"
#include "shared/allow_entry.h"
#include "shared/batv.h"
#include "shared/check_spec.h"
#include "shared/clock.h"
#include "shared/dns_zone.h"
#include "shared/limits.h"
#include "shared/result.h"
#include "shared/smtp_reply.h"
#include "shared/text.h"

namespace policyd {

// Where to listen: "unix:/path", "inet:127.0.0.1:10031", "inet:[::1]:10031", "systemd:" (or "systemd:NAME").
struct Endpoint {
  enum class Kind { unix_socket, inet, systemd } kind = Kind::inet;
  std::string path;   // unix_socket: the path; systemd: FileDescriptorName=, empty for any
  IpAddress address;  // inet
  uint16_t port = 0;  // inet; 0 lets the kernel choose (tests)
  static Result<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  bool operator==(const Endpoint&) const = default;
};

// "memory:", "memory:/FILE", "redis://[user:password@]host[:port][/db]", "redis+unix:///path[?db=N]" (also with
// user:password@ before the path's first slash, or ?user=&password=). User and password are percent-decoded.
struct StoreUrl {
  enum class Kind { memory, redis } kind = Kind::memory;
  std::string path;      // memory: the file, or empty; redis+unix: the socket
  std::string host;      // redis over TCP; a name or an address
  uint16_t port = 6379;
  std::string user, password;
  int db = 0;
  static Result<StoreUrl> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;  // the password is shown as "***"
  bool operator==(const StoreUrl&) const = default;
};

enum class Direction : uint8_t { incoming = 0, outgoing = 1 };
inline std::string_view direction_name(Direction direction) {
  return direction == Direction::incoming ? "incoming" : "outgoing";
}

// Score thresholds; 0 = off.
struct Thresholds {
  int defer = 0;
  int hold = 0;
  int reject = 0;
};

// How a check is applied: weights[direction][outcome], in the order of CheckSpec::outcomes.
struct CheckSettings {
  std::array<std::vector<int>, 2> weights;
  bool block = false;
  bool dry_run = false;
  bool header = false;  // it writes its header field (CheckSpec::header_key)
  ZoneKind zone_kind = ZoneKind::none;
  std::vector<ZoneSettings> zones;  // a check of DNS lists; its findings weigh what their entry says
  bool by_domain = false;                // it is applied for its batv_domains alone (CheckSpec::batv_domains)
  std::vector<BatvDomain> batv_domains;  // none twice
  [[nodiscard]] bool applies(Direction direction) const;  // it can find something, or writes a header field
};

struct Config {
  struct Server {
    std::vector<Endpoint> listen;
    Milliseconds deadline;
    std::string node;    // this node's name in the cluster; empty: the host name
    int socket_mode;     // of unix sockets, e.g. 0666
  } server;
  struct Admin {
    std::vector<Endpoint> listen;  // unix sockets only: the API has no authentication of its own
    int socket_mode;
  } admin;
  struct Store {
    StoreUrl url;
    std::string prefix;
    Milliseconds timeout;
  } store;
  struct Dns {
    std::vector<std::string> servers;        // "127.0.0.1:5353", "[::1]:5353", "192.0.2.53"; empty: the system's
    Milliseconds timeout;                    // of a look-up, all tries together
    int cache;                               // names; 0: none
  } dns;
  struct Traffic {
    std::vector<Network> networks;
    std::vector<std::string> own_names;      // EHLO names that are ours, lower case; empty: the host name
    std::vector<Network> own_addresses;      // beside the address that the client connected to
    std::string account;                     // outgoing mail is charged to the "login", its "domain", or the "network"
    std::vector<std::string> internal_domains;  // of recipients that do not count: "example.com", ".example.com"
  } traffic;
  struct Score {
    std::array<Thresholds, 2> thresholds;    // by Direction
    std::string header;                      // e.g. "X-Policyd-Score"; empty: none
    std::string text;                        // "{reasons}" and "{score}" are filled in
  } score;
  struct Blocks {
    SmtpReply reply;
  } blocks;
  struct Locks {
    std::string action;                      // of mail of a locked account: "reject" (as blocks.reply says), "defer",
                                             // "hold"
  } locks;
  struct LimitsReply {
    std::string text;
  } limits;
  struct Greylist {                          // of incoming mail; policyd/store/store.h has the rules
    bool enabled;
    Milliseconds block;                      // less than pass
    Milliseconds pass;
    Milliseconds record;
    int min_score;                           // 0: whatever the score
    int auto_allow;                          // 0: never
    bool null_sender;                        // whether it is greylisted too
    std::string text;                        // "{seconds}" is filled in
    bool dry_run;
  } greylist;
  struct Notify {                            // people are told of what happens (policyd/notify/notifier.h)
    std::vector<std::string> command;        // a path, and arguments; empty: nobody is told
    Milliseconds timeout;                    // of the command
    Milliseconds quiet;                      // the same kind of event and account is not told again for so long
  } notify;
  struct Log {
    std::string level;                       // trace debug info warn error
    std::string target;                      // "stderr", "syslog" or a file's path
    std::string verdicts;                    // "all", "refused" (all but DUNNO), "none"
  } log;
  struct Journal {
    bool enabled;
    Milliseconds keep;
    int max;                                 // entries
    bool redact;
    std::string redact_key;                  // not empty where redact is true
  } journal;
  std::map<std::string, CheckSettings, std::less<>> checks;       // one for every CheckSpec
  std::vector<AllowEntry> allow;
  std::map<std::string, AccountSettings, std::less<>> accounts;   // "default", "example.com", "joe@example.com",
                                                                  // "192.0.2.0/24"
};

// Reads `path`. On failure: every error found, in the order of the file. A file that cannot be read is one error.
struct ConfigErrors {
  std::vector<std::string> messages;
};
std::variant<Config, ConfigErrors> load_config(const std::string& path, std::span<const CheckSpec> checks);
// The same from text; `name` stands where the file's path would.
std::variant<Config, ConfigErrors> parse_config(std::string_view toml, const std::string& name,
                                                std::span<const CheckSpec> checks);

// The configuration in force, as TOML with every key; passwords masked. parse_config reads it back to the same
// values (but for the password).
std::string show_config(const Config& config, std::span<const CheckSpec> checks);

// What needs a restart to change ("server.listen", "store", ...), of what differs between the two.
std::vector<std::string> needs_restart(const Config& before, const Config& after);
// Gives `fresh` the running values of those, so that it says what is in force.
void keep_until_restart(const Config& running, Config& fresh);

}  // namespace policyd
