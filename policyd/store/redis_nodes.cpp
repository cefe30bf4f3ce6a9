#include "policyd/store/redis_nodes.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

namespace policyd {

namespace {

constexpr Milliseconds kRemember{60'000};

// Redis' time can only be between 1970 and the year 10000.
constexpr int64_t kLatest = 253'402'300'800'000;

bool is_time(const RedisReply& reply) {
  return reply.kind == RedisReply::Kind::integer && reply.integer > 0 && reply.integer < kLatest;
}

// "ms|JSON", where the JSON is what some node wrote. Nothing where it cannot have been seen then.
std::optional<NodeInfo> to_node(const std::string& id, const std::string& text, int64_t now) {
  NodeInfo node;
  node.id = id;
  const size_t bar = std::min(text.find('|'), text.size());
  int64_t seen = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + bar, seen);
  if (failure != std::errc() || end != text.data() + bar) return std::nullopt;
  if (seen <= 0 || seen > now + kRemember.count()) return std::nullopt;
  node.seen = WallTime(Milliseconds(seen));
  const auto json = nlohmann::json::parse(text.substr(std::min(bar + 1, text.size())), nullptr, false);
  if (!json.is_object()) return node;
  const auto number = [&json](const char* key) {
    return json.contains(key) && json[key].is_number_integer() ? json[key].get<int64_t>() : 0;
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
  if (answer.elements.empty() || !is_time(answer.elements[0])) return false;
  const int64_t redis_now = answer.elements[0].integer;
  redis_ahead_ = Milliseconds(redis_now) - clock.wall().time_since_epoch();
  nodes_.clear();
  for (size_t i = 1; i + 1 < answer.elements.size(); i += 2) {
    auto node = to_node(answer.elements[i].text, answer.elements[i + 1].text, redis_now);
    if (node) nodes_.push_back(*std::move(node));
  }
  const std::string& last = answer.elements.back().text;
  const bool says_key = answer.elements.size() % 2 == 0 && last.size() == sizeof(SipKey);
  if (says_key) std::memcpy(&elements_, last.data(), last.size());
  const SteadyTime now = clock.steady();
  if (nodes_.size() < most_ && now - most_at_ < kRemember) return true;
  most_ = std::max<size_t>(nodes_.size(), 1);
  most_at_ = now;
  return true;
}

}  // namespace policyd
