// policyd(8): flags, configuration, log, and then the App.
//
// Exit codes (sysexits.h): 0 done, 64 usage, 71 cannot start, 78 wrong configuration.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "policyd/app.h"
#include "policyd/checks/check.h"

namespace {

using namespace policyd;

constexpr const char* kDefaultConfig = "/etc/policyd/policyd.toml";

// Every connection of Postfix is a descriptor, and the soft limit is often 1024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(Config config, const std::string& path) {
  auto log = Log::open(config.log.target, config.log.level);
  if (!log) {
    std::cerr << "policyd: " << log.error().message << '\n';
    return EX_OSERR;
  }
  auto app = App::start(std::make_shared<const Config>(std::move(config)), path, **log);
  if (!app) {
    std::cerr << "policyd: " << app.error().message << '\n';
    return EX_OSERR;
  }
  (*app)->run();
  return EX_OK;
}

// A descriptor 0, 1 or 2 that is closed would be given to the next socket, which then is where others write to.
void open_standard_descriptors() {
  int opened = 0;
  while ((opened = open("/dev/null", O_RDWR)) >= 0 && opened <= STDERR_FILENO) {
  }
  if (opened >= 0) close(opened);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  CLI::App flags{"policyd: a Postfix policy server. See policyd(8)."};
  std::string path = kDefaultConfig;
  bool check_only = false;
  flags.add_option("-c,--config", path, "The configuration, policyd.toml(5)")->capture_default_str();
  flags.add_flag("--check-config", check_only, "Read the configuration, say what is wrong with it, and exit: 0 or 78");
  flags.set_version_flag("--version", "policyd " POLICYD_VERSION);
  try {
    flags.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return flags.exit(error) == 0 ? EX_OK : EX_USAGE;
  }

  auto loaded = load_config(path, check_specs());
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) {
    for (const auto& message : errors->messages) std::cerr << message << '\n';
    return EX_CONFIG;
  }
  if (check_only) return EX_OK;
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a full file is an error, not a death
  raise_descriptor_limit();
  return serve(std::get<Config>(std::move(loaded)), path);
}
