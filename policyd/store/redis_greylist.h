// Greylisting in Redis: one run of the greylist script for each attempt.
//
// What Redis cannot answer is `unknown`, and passes. A connection that is lost tells those who wait for it; whether
// Redis as a whole is away is the link's to find out (redis_link.h), an error here is told to the log once.
#pragma once

#include <string>

#include "policyd/async/task.h"
#include "policyd/store/keys.h"
#include "policyd/store/redis_connection.h"
#include "policyd/store/store.h"

namespace policyd {

class RedisGreylist {
 public:
  // `keys` outlives it; `store` is for the log.
  RedisGreylist(const Keys& keys, std::string store) : keys_(keys), store_(std::move(store)) {}
  RedisGreylist(const RedisGreylist&) = delete;
  RedisGreylist& operator=(const RedisGreylist&) = delete;

  // A connection that is open; and that it is gone.
  void attach(RedisConnection& connection) { connection_ = &connection; }
  void detach() { connection_ = nullptr; }

  Task<GreylistResult> ask(const GreylistAttempt& attempt);

 private:
  void note(const RedisReply& reply);
  Task<Result<RedisReply>> run_script(const GreylistAttempt& attempt);
  Task<Result<void>> load_script();

  const Keys& keys_;
  const std::string store_;
  RedisConnection* connection_ = nullptr;
  std::string sha_;  // of the script, which Redis may have forgotten; empty: not asked for yet
  bool failing_ = false;  // the last answer was an error
};

}  // namespace policyd
