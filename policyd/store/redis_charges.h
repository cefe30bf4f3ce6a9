// Charges on their way to Redis and back: what is asked for in a turn of the loop goes in one run of the charge script.
//
// A lonely charge goes at the end of its turn. While two runs are in flight, what comes is gathered, until one of
// them is answered, kPatience is over or a run is full: so runs grow as Redis gets slower. The charges of a run are
// independent of each other (charge_command.h). A charge that cannot be counted is told so, never left without an
// answer: the connection's time-out, which counts from when the first charge of a run was asked for, ends every wait.
//
// A run mixes accounts, and so the slots of their keys: a Redis Cluster would refuse it. Before `redis-cluster://` can
// be served, charges have to be gathered by node, and runs made of the charges of one slot.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/async/timer.h"
#include "policyd/store/charge_command.h"
#include "policyd/store/keys.h"
#include "policyd/store/redis_connection.h"
#include "policyd/store/store.h"

struct uv_loop_s;

namespace policyd {

class RedisCharges {
 public:
  enum class Outcome : uint8_t {
    counted,  // or tested: `result` tells
    broken,   // Redis cannot count this charge, for a reason of its own; others it can
    away,     // Redis does not answer, or takes no writes: not counted
    unknown,  // the same, but it was sent and not answered: Redis may have counted it
  };
  struct Counted {
    Outcome outcome = Outcome::away;
    ChargeResult result;  // counted
  };

  // One charge: asked for when it is made, `co_await` it for the answer. Dropped before it was sent, it is not sent.
  class Call {
   public:
    // `charge` outlives it; `at` as in ChargeCommand::add.
    Call(RedisCharges& charges, const Charge& charge, ChargeMode mode, WallTime at = {});
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    [[nodiscard]] bool await_ready() const noexcept { return run_ == nullptr; }
    void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
    [[nodiscard]] Counted await_resume() const noexcept { return counted_; }

   private:
    friend class RedisCharges;
    void answer(const Counted& counted);

    const Charge& charge_;
    const ChargeMode mode_;
    const WallTime at_;
    std::vector<Call*>* run_ = nullptr;  // where it stands; null once it is answered
    size_t place_ = 0;
    std::coroutine_handle<> waiter_;
    Counted counted_;
  };

  // Told of an error that says that Redis as a whole takes no charges.
  using Away = std::function<void(const std::string& reason)>;

  // `keys` outlives this; `store` is for the log.
  RedisCharges(uv_loop_s* loop, const Keys& keys, std::string store, Away away);
  ~RedisCharges();
  RedisCharges(const RedisCharges&) = delete;
  RedisCharges& operator=(const RedisCharges&) = delete;

  // A connection that is open, and the charge script's SHA1 there. It calls end_of_turn().
  void attach(RedisConnection& connection, std::string sha);
  // It is gone: what has been gathered is away.
  void detach();
  void end_of_turn();
  // As ChargeCommand::hash_with.
  void hash_with(const SipKey& key) { command_.hash_with(key); }
  // How many have been broken so far.
  [[nodiscard]] uint64_t broken() const { return broken_; }

 private:
  static constexpr size_t kInFlight = 2;
  static constexpr Milliseconds kPatience{2};

  // The charges of one run of the script; null: dropped meanwhile. Taken again when it has been answered.
  struct Run {
    std::vector<Call*> calls;
    std::optional<Task<void>> sending;
    bool free = true;
  };

  void gather(Call& call);
  Run& free_run();
  void dispatch();
  Task<void> send(Run& run, uint64_t asked_at);
  static void forget_dropped(Run& run);
  RedisCall transmit(const Run& run, uint64_t asked_at, bool with_source);
  // `unanswered`: what an Error for a reply means.
  void answer(Run& run, const Result<RedisReply>& reply, Outcome unanswered);
  Outcome judge(std::string_view error);

  const Keys& keys_;
  const std::string store_;
  const Away away_;
  RedisConnection* connection_ = nullptr;
  std::string sha_;
  ChargeCommand command_;
  std::vector<std::unique_ptr<Run>> runs_;
  Run* gathered_ = nullptr;
  uint64_t gathered_since_ = 0;  // the loop's time, ms
  size_t in_flight_ = 0;
  uint64_t broken_ = 0;
  bool told_broken_ = false;  // since this connection was made
  Timer patience_;
};

}  // namespace policyd
