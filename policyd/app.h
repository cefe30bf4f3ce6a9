// The server: owns the loop and everything on it, starts, reloads and drains.
//
// start() fails with one Error for the operator. run() returns at SIGTERM or SIGINT, after what was being decided has
// been answered and the state has been written. SIGHUP reads the configuration again and keeps the old one where the
// new one is wrong.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policyd/admin/admin_server.h"
#include "policyd/async/loop.h"
#include "policyd/async/signal.h"
#include "policyd/async/timer.h"
#include "policyd/dns/cares.h"
#include "policyd/dnsbl/zones.h"
#include "policyd/engine.h"
#include "policyd/journal/journal.h"
#include "policyd/listener.h"
#include "policyd/locks/warden.h"
#include "policyd/notify/notifier.h"
#include "policyd/notify/state_watch.h"
#include "policyd/report/reporter.h"
#include "policyd/store/mirror.h"
#include "policyd/store/store.h"
#include "shared/clock.h"
#include "shared/config.h"
#include "shared/log.h"
#include "shared/result.h"

namespace policyd {

class App {
 public:
  // `config` was read from `config_path`; `log` outlives the app.
  static Result<std::unique_ptr<App>> start(std::shared_ptr<const Config> config, std::string config_path, Log& log);
  ~App();

  void run();

 private:
  App(std::shared_ptr<const Config> config, std::string config_path, Log& log);
  Result<void> start();
  Result<void> open_listeners();
  std::unique_ptr<Store> make_store();
  [[nodiscard]] NodeInfo self() const;
  void reload();
  void drain();

  std::shared_ptr<const Config> config_;
  std::string config_path_;
  Log& log_;
  SystemClock clock_;
  WallTime started_;
  Loop loop_;  // what follows hangs on it and goes before it
  Mirror mirror_;
  std::unique_ptr<Store> store_;
  CaresResolver resolver_;
  Zones zones_;
  Timer each_second_;
  std::unique_ptr<Notifier> notifier_;
  std::unique_ptr<StateWatch> watch_;
  std::unique_ptr<Warden> warden_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Reporter> reporter_;
  Streams streams_;
  Descriptors descriptors_;
  SessionStatistics sessions_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unique_ptr<AdminServer> admin_;
  std::vector<std::unique_ptr<Signal>> signals_;
  bool draining_ = false;
};

}  // namespace policyd
