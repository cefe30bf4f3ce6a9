// A Redis store as a node of a test has it.
#pragma once

#include <string>

#include "policyd/store/redis.h"

namespace policyd::test {

// By default a time-out that a slow machine does not reach.
inline Config::Store redis_config(const std::string& socket, Milliseconds timeout = Milliseconds{5'000}) {
  Config::Store config;
  config.url.kind = StoreUrl::Kind::redis;
  config.url.path = socket;
  config.prefix = "policyd:";
  config.timeout = timeout;
  return config;
}

// What a node of that id tells the others of itself.
inline auto node_named(const std::string& id) {
  return [id] {
    NodeInfo node;
    node.id = id;
    return node;
  };
}

}  // namespace policyd::test
