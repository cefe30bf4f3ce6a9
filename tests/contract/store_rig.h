// A store with all that it needs, as the contract suite sees it; and the table of the stores that the suite runs on.
//
// A new store is one row in store_kinds() (store_rig.cpp). The clock starts at the real time and stands still: embedded
// stores take their time from it, Redis has its own, so no test of the suite depends on the passing of
// time; pass_time() lets it pass for the greylist and the journal.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "policyd/store/mirror.h"
#include "policyd/store/store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"

namespace policyd::test {

class StoreRig;

struct StoreKind {
  const char* name;
  bool durable;  // what was put is still there after a restart
  // What outlives a restart: a directory, a server. May be nothing.
  std::shared_ptr<void> (*make_world)();
  std::unique_ptr<Store> (*make_store)(StoreRig& rig);
  // Makes the greylist records and the journal in the world that much older, where their time is not the rig's clock.
  void (*age)(StoreRig& rig, Milliseconds by);
  // The same of the lock of an account, if it has one.
  void (*age_lock)(StoreRig& rig, const std::string& account, Milliseconds by);
};
const std::vector<StoreKind>& store_kinds();

class StoreRig {
 public:
  explicit StoreRig(const StoreKind& store_kind);
  ~StoreRig();
  StoreRig(const StoreRig&) = delete;
  StoreRig& operator=(const StoreRig&) = delete;

  // Stops the store and starts another one on the same world, with an empty mirror.
  void restart();

  template <class T>
  T run(Task<T> task) {
    return loop.run(std::move(task));
  }
  ChargeResult charge(const Charge& charge) { return run(store->charge(charge)); }
  // On the clock, and for the greylist and the journal.
  void pass_time(Milliseconds by) {
    clock.advance(by);
    kind.age(*this, by);
  }
  // Makes a lock that much older; of a store whose time is the rig's clock, everything.
  void age_lock(const std::string& account, Milliseconds by) { kind.age_lock(*this, account, by); }
  // What the account has used: "messages/1h" -> 3.
  std::map<std::string, int64_t> used(const std::string& account);
  template <class World>
  World& world_as() {
    return *static_cast<World*>(world.get());
  }

  const StoreKind& kind;
  std::shared_ptr<void> world;
  TestLoop loop;
  FakeClock clock;
  Mirror mirror{clock};
  std::unique_ptr<Store> store;

 private:
  void start();
  void stop();
};

// Runs a test on every store.
template <class Test>
void on_every_store(Test test) {
  for (const StoreKind& kind : store_kinds()) {
    INFO("store: " << kind.name);
    StoreRig rig(kind);
    test(rig);
  }
}

}  // namespace policyd::test
