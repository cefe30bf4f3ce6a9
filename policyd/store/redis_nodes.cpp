#include "policyd/store/redis_nodes.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace policyd {

namespace {

constexpr Milliseconds kRemember{60'000};

// "ms|JSON", where the JSON is what some node wrote.
NodeInfo to_node(const std::string& id, const std::string& text) {
  NodeInfo node;
  node.id = id;
  const size_t bar = std::min(text.find('|'), text.size());
  node.seen = WallTime(Milliseconds(std::strtoll(text.c_str(), nullptr, 10)));
  const auto json = nlohmann::json::parse(text.substr(std::min(bar + 1, text.size())), nullptr, false);
  if (!json.is_object()) return node;
  const auto number = [&json](const char* key) {
    return json.contains(key) && json[key].is_number() ? json[key].get<int64_t>() : 0;
  };
  const auto string = [&json](const char* key) {
    return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : std::string();
  };
  node.name = string("name");
  node.version = string("version");
  node.uptime_seconds = number("uptime");
  node.requests = number("requests");
  return node;
}

}  // namespace

std::string RedisNodes::to_json(const NodeInfo& self) {
  return nlohmann::json{{"name", self.name}, {"version", self.version}, {"uptime", self.uptime_seconds},
                        {"requests", self.requests}}
      .dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

bool RedisNodes::note(const RedisReply& answer, const Clock& clock) {
  if (answer.elements.empty()) return false;
  redis_ahead_ = Milliseconds(answer.elements[0].integer) - clock.wall().time_since_epoch();
  nodes_.clear();
  for (size_t i = 1; i + 1 < answer.elements.size(); i += 2) {
    nodes_.push_back(to_node(answer.elements[i].text, answer.elements[i + 1].text));
  }
  const SteadyTime now = clock.steady();
  if (nodes_.size() < most_ && now - most_at_ < kRemember) return true;
  most_ = std::max<size_t>(nodes_.size(), 1);
  most_at_ = now;
  return true;
}

}  // namespace policyd
