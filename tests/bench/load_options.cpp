// The table of options. Contract: load_options.h.
#include "tests/bench/load_options.h"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <system_error>

namespace policyd::bench {
namespace {

template <class Number>
bool read_number(std::string_view text, Number lowest, Number highest, Number& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= lowest &&
         number <= highest;
}

struct OptionRow {
  std::string_view name;
  const char* takes;  // nullptr: no value
  const char* summary;
  bool (*set)(LoadOptions& options, std::string_view value);
};
using Text = std::string_view;
constexpr OptionRow kOptions[] = {
    {"--socket", "PATH", "the unix socket of the server (needed)",
     [](LoadOptions& options, Text value) { return !(options.socket = value).empty(); }},
    {"--connections", "1..60000", "each with one request in flight, as smtpd has (50)",
     [](LoadOptions& options, Text value) {
       return read_number<uint64_t>(value, 1, 60000, options.connections);
     }},
    {"--warmup", "SECONDS", "load that is not measured (0.5)",
     [](LoadOptions& options, Text value) {
       return read_number(value, 0.0, 3600.0, options.warmup);
     }},
    {"--seconds", "SECONDS", "load that is measured, or how long --idle holds (3)",
     [](LoadOptions& options, Text value) {
       return read_number(value, 0.0, 86400.0, options.seconds);
     }},
    {"--requests", "1..", "this many requests in place of --seconds, without a warm-up",
     [](LoadOptions& options, Text value) {
       return read_number<uint64_t>(value, 1, UINT64_MAX, options.requests);
     }},
    {"--profile", "outgoing, incoming or minimal", "what to ask (outgoing)",
     [](LoadOptions& options, Text value) {
       auto profile = parse_profile(value);
       if (profile) options.profile = *profile;
       return profile.has_value();
     }},
    {"--accounts", "1..10000000", "how many send in turn (1000)",
     [](LoadOptions& options, Text value) {
       return read_number<uint64_t>(value, 1, 10'000'000, options.accounts);
     }},
    {"--idle", nullptr,
     "one request on each connection, print `ready`, hold them until SIGTERM or --seconds",
     [](LoadOptions& options, Text) { return options.idle = true; }},
    {"--json", nullptr, "print one line of JSON",
     [](LoadOptions& options, Text) { return options.json = true; }},
};

bool complain(std::string_view option, const char* what, const char* expected) {
  std::fprintf(stderr, "bench_load: %.*s: %s%s\n", static_cast<int>(option.size()), option.data(),
               what, expected);
  return false;
}

bool set_option(LoadOptions& options, int argc, char** argv, int& i) {
  std::string_view name = argv[i];
  for (const OptionRow& row : kOptions) {
    if (row.name != name) continue;
    const char* value = row.takes == nullptr ? "" : argv[++i];
    if (i >= argc) return complain(name, "a value is missing: ", row.takes);
    return row.set(options, value) || complain(name, "not usable, expected ", row.takes);
  }
  return complain(name, "unknown option, see --help", "");
}

}  // namespace

std::optional<LoadOptions> parse_load_options(int argc, char** argv) {
  LoadOptions options;
  for (int i = 1; i < argc; ++i)
    if (!set_option(options, argc, argv, i)) return std::nullopt;
  if (options.socket.empty() &&
      !complain("--socket", "is needed: the path of the server's socket", ""))
    return std::nullopt;
  if (options.idle) options.requests = options.connections;
  if (options.requests > 0) options.warmup = 0;
  return options;
}

void print_load_usage() {
  std::puts("usage: bench_load --socket PATH [OPTION...]");
  for (const OptionRow& row : kOptions) {
    std::string left =
        std::string(row.name) + (row.takes == nullptr ? "" : std::string(" ") + row.takes);
    std::printf("  %-40s %s\n", left.c_str(), row.summary);
  }
}

}  // namespace policyd::bench
