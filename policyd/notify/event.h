// What people are told of as it happens.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "policyd/notify/event_sink.h"

namespace policyd {

struct Event {
  EventKind kind;
  std::string account;     // whom it is about; empty where it is about no account
  std::string text;        // one sentence for people
  nlohmann::json details;  // an object; "node" and "list" name what an event without an account is about
};

}  // namespace policyd
