#include "policyd/app.h"

#include <csignal>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "policyd/checks/check.h"
#include "policyd/store/memory.h"
#include "policyd/store/redis.h"
#include "shared/local_host.h"
#include "shared/log_line.h"

namespace policyd {

namespace {

std::string node_name(const Config& config) {
  return config.server.node.empty() ? local_host_name() : config.server.node;
}

DnsConfig dns_config(const Config& config) {
  return {config.dns.servers, config.dns.timeout, static_cast<size_t>(config.dns.cache)};
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : ", ") + part;
  return all;
}

// The end is near, and the handlers go before it: a second SIGTERM must not turn it into a failure.
void ignore_further_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

App::App(std::shared_ptr<const Config> config, std::string config_path, Log& log)
    : config_(std::move(config)),
      config_path_(std::move(config_path)),
      log_(log),
      started_(clock_.wall()),
      mirror_(clock_),
      resolver_(loop_.get(), clock_),
      zones_(resolver_, clock_),
      each_second_(loop_.get(),
                   [this] {
                     zones_.tick();
                     watch_->look();
                   }),
      streams_(loop_.get()),
      descriptors_(loop_.get()) {}

App::~App() = default;

Result<std::unique_ptr<App>> App::start(std::shared_ptr<const Config> config, std::string config_path, Log& log) {
  std::unique_ptr<App> app(new App(std::move(config), std::move(config_path), log));
  if (auto started = app->start(); !started) return started.error();
  return app;
}

std::unique_ptr<Store> App::make_store() {
  const StoreUrl& url = config_->store.url;
  if (url.kind == StoreUrl::Kind::memory) {
    return std::make_unique<MemoryStore>(loop_.get(), clock_, mirror_, url.path);
  }
  return std::make_unique<RedisStore>(loop_.get(), clock_, mirror_, config_->store, [this] { return self(); });
}

// What the other nodes are told of this one.
NodeInfo App::self() const {
  NodeInfo node;
  node.name = node_name(*config_);
  node.id = node.name + ":" + std::to_string(getpid());
  node.version = POLICYD_VERSION;
  node.seen = clock_.wall();
  node.uptime_seconds = std::chrono::duration_cast<std::chrono::seconds>(node.seen - started_).count();
  node.requests = engine_ ? static_cast<int64_t>(engine_->statistics().requests) : 0;
  return node;
}

Result<void> App::start() {
  signals_.push_back(std::make_unique<Signal>(loop_.get(), SIGHUP, [this] { reload(); }));
  for (const int number : {SIGTERM, SIGINT}) {
    signals_.push_back(std::make_unique<Signal>(loop_.get(), number, [this] { drain(); }));
  }
  if (auto configured = resolver_.reconfigure(dns_config(*config_)); !configured) return configured;
  store_ = make_store();
  if (auto started = store_->start(); !started) return started;
  notifier_ = std::make_unique<Notifier>(loop_.get(), clock_, *store_, node_name(*config_), config_->notify);
  watch_ = std::make_unique<StateWatch>(*store_, zones_, node_name(*config_), *notifier_);
  warden_ = std::make_unique<Warden>(loop_.get(), *store_, mirror_, notifier_.get(), node_name(*config_));
  journal_ = std::make_unique<Journal>(loop_.get(), clock_, *store_, node_name(*config_));
  journal_->reconfigure(config_->journal);
  const EngineParts parts{mirror_,         *store_,   resolver_,       zones_,        clock_,
                          loop_.get(), *warden_, notifier_.get(), journal_.get()};
  engine_ = std::make_unique<Engine>(config_, parts);
  reporter_ = std::make_unique<Reporter>(loop_.get(), clock_, engine_->tally(), *store_);
  if (auto opened = open_listeners(); !opened) return opened;
  const AdminContext context{*engine_, *store_, mirror_, clock_, resolver_, started_, node_name(*config_),
                             [this] { return ListenerStatistics{sessions_.connections, sessions_.bad_requests}; },
                             [this] { return resolver_.status(); }, *reporter_, *warden_, *journal_};
  auto admin = AdminServer::start(loop_.get(), context, config_->admin);
  if (!admin) return admin.error();
  admin_ = *std::move(admin);
  return {};
}

Result<void> App::open_listeners() {
  const Listener::Shared shared{loop_.get(), *engine_, clock_, streams_, sessions_, descriptors_};
  for (const Endpoint& endpoint : config_->server.listen) {
    auto opened = Listener::open(shared, endpoint, config_->server.socket_mode);
    if (!opened) return opened.error();
    for (auto& listener : *opened) {
      log_info("listening on {}", listener->name());
      listeners_.push_back(std::move(listener));
    }
  }
  return {};
}

void App::run() {
  log_info("policyd {} is ready: node {}, store {}, {} blocks", POLICYD_VERSION, node_name(*config_),
           store_->status().url, mirror_.block_count());
  sd_notify(0, "READY=1");
  zones_.tick();
  each_second_.every(std::chrono::seconds(1));
  reporter_->start();
  warden_->start();
  journal_->start();
  if (draining_) drain();  // the signal came while it was starting
  loop_.run();             // until drain() has let go of all that keeps it
  // A session that reads no more keeps no loop alive, but may still be waiting for a decision.
  loop_.run_until([this] { return sessions_.connections == 0; });
  // Before the admin API goes, whose requests hand the journal over too and are dropped with it.
  loop_.run_until([this] { return journal_->status().waiting == 0 || !journal_->status().trouble.empty(); });
  loop_.run(journal_->stop());
  admin_.reset();  // waits for its threads, so not before the last decision
  warden_->stop();
  loop_.run_until([this] { return warden_->idle(); });
  loop_.run(notifier_->stop());
  loop_.run(reporter_->stop());
  loop_.run(store_->stop());
  ignore_further_signals();
  log_info("policyd ends after {} requests", engine_->statistics().requests);
}

void App::reload() {
  sd_notify(0, "RELOADING=1");
  log_.reopen();
  auto loaded = load_config(config_path_, check_specs());
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) {
    for (const auto& message : errors->messages) log_error("{}", message);
    log_error("{}: not taken: {} error(s); the old configuration stays in force", config_path_,
              errors->messages.size());
  } else {
    auto fresh = std::make_shared<Config>(std::get<Config>(std::move(loaded)));
    if (const auto restart = needs_restart(*config_, *fresh); !restart.empty()) {
      log_warning("{}: {} will change at the next restart only", config_path_, joined(restart));
      keep_until_restart(*config_, *fresh);
    }
    log_.set_level(fresh->log.level);
    if (const auto configured = resolver_.reconfigure(dns_config(*fresh)); !configured) {
      log_error("{}; the DNS servers stay as they were", configured.error().message);
    }
    if (journal_) journal_->reconfigure(fresh->journal);
    if (engine_) engine_->reconfigure(fresh);
    if (notifier_) notifier_->reconfigure(fresh->notify);
    zones_.tick();
    config_ = std::move(fresh);
    log_info("{}: taken", config_path_);
  }
  sd_notify(0, "READY=1");
}

void App::drain() {
  if (!std::exchange(draining_, true)) log_info("ending: what is being decided is answered first");
  sd_notify(0, "STOPPING=1");
  each_second_.stop();
  for (auto& listener : listeners_) listener->drain();
}

}  // namespace policyd
