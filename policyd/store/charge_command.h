// A run of the charge script (redis_scripts.h) as a command for Redis, and what its answer says. Pure.
//
// Charges of different accounts stand in one command: their keys are in different slots of a Redis Cluster, which would
// take them only grouped by slot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/dns/siphash.h"
#include "policyd/store/keys.h"
#include "policyd/store/redis_reply.h"
#include "policyd/store/store.h"

namespace policyd {

enum class ChargeMode : uint8_t {
  live,         // tested and counted
  dry,          // only tested
  merge,        // counted without a test, at a time that is over
  merge_known,  // as merge where Redis still remembers the message, else nothing
};

// Charges are added, then the command is taken; clear() begins another one in the same memory.
class ChargeCommand {
 public:
  // Charges of one run: Redis does nothing else meanwhile, for a millisecond or two. An octet numbers their lists.
  static constexpr size_t kMost = 127;

  explicit ChargeCommand(const Keys& keys) : keys_(keys) {}

  // What elements are hashed with: the same on all nodes.
  void hash_with(const SipKey& key) { elements_ = key; }

  void clear();
  // `at` on Redis' clock, for what is merged. The charge's limits are looked at until the command is taken.
  void add(const Charge& charge, ChargeMode mode, WallTime at);
  // EVALSHA with the script's SHA1, or EVAL with its source.
  [[nodiscard]] std::string_view take(std::string_view verb, std::string_view script);

 private:
  struct List {
    const Limits* limits;
    const Limits* signs;
  };
  size_t list_of(const Limits& limits, const Limits& signs);
  void add_amounts(const Charge& charge);
  void add_elements(const Charge& charge);
  void append_element(std::string& out, Meter meter, std::string_view element) const;

  const Keys& keys_;
  size_t key_count_ = 0;
  bool timed_ = false;  // some charge has a time of its own
  std::string rates_, messages_, seen_;  // keys, as bulk strings
  std::string records_, times_, networks_;
  SipKey elements_;
  std::string scratch_, command_;
  std::vector<List> lists_;
};

// What became of one charge.
struct ChargeAnswer {
  enum class Kind : uint8_t { passed, refused, failed } kind = Kind::failed;
  size_t limit = 0;                          // refused: which of the charge's limits, those of signs behind the others
  std::optional<Milliseconds> retry_after;   // refused
  std::string_view uses;                     // refused: what each limit's window holds, as numbers; into the reply
  std::optional<size_t> sign;                // gone over: which of them
  int64_t sign_used = 0;                     // and what its window holds
  std::string_view error;                    // failed: a view into the reply, as Redis says it outside of scripts

  // Where it has not failed.
  [[nodiscard]] ChargeResult result(const Charge& charge) const;
};

// The answers of a reply, which outlives this, in the order of the charges.
class ChargeAnswers {
 public:
  // Nothing where the reply is not one to `charges` charges.
  static std::optional<ChargeAnswers> of(const RedisReply& reply, size_t charges);
  // At most as often as there are charges.
  ChargeAnswer next();

 private:
  explicit ChargeAnswers(const RedisReply& reply) : reply_(&reply) {}
  const RedisReply* reply_;
  size_t letter_ = 0;
  size_t detail_ = 1;
};

}  // namespace policyd
