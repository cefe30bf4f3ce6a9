#include "tests/support/fake_redis.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "policyd/store/redis_scripts.h"

namespace policyd::test {

namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr const char* kChargeSha = "charge";
constexpr const char* kHeartbeatSha = "heartbeat";

// The next whole command of `in`, taken out of it: an array of bulk strings.
std::optional<FakeRedis::Command> next_command(std::string& in) {
  size_t at = 0;
  const auto number = [&](char type) -> std::optional<size_t> {
    const size_t end = in.find(kEnd, at);
    if (end == std::string::npos) return std::nullopt;
    REQUIRE(in[at] == type);
    const size_t value = std::strtoul(in.c_str() + at + 1, nullptr, 10);
    at = end + kEnd.size();
    return value;
  };
  if (in.empty()) return std::nullopt;
  const auto words = number('*');
  if (!words) return std::nullopt;
  FakeRedis::Command command;
  while (command.size() < *words) {
    if (at >= in.size()) return std::nullopt;
    const auto length = number('$');
    if (!length || in.size() < at + *length + kEnd.size()) return std::nullopt;
    command.push_back(in.substr(at, *length));
    at += *length + kEnd.size();
  }
  in.erase(0, at);
  return command;
}

struct Writing {
  uv_write_t write{};
  std::string octets;
};

}  // namespace

struct FakeRedis::Connection {
  FakeRedis& redis;
  uv_pipe_t pipe{};
  std::string in{};
  bool subscribed = false;
  bool open = true;

  explicit Connection(FakeRedis& server) : redis(server) {}
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&pipe); }

  void send(std::string_view octets) {
    if (!open || octets.empty()) return;
    auto* writing = new Writing{{}, std::string(octets)};
    uv_buf_t buffer =
        uv_buf_init(writing->octets.data(), static_cast<unsigned>(writing->octets.size()));
    const int failure = uv_write(&writing->write, stream(), &buffer, 1, [](uv_write_t* write, int) {
      delete reinterpret_cast<Writing*>(write);
    });
    if (failure < 0) delete writing;
  }
};

// How it usually answers a command.
struct FakeRedis::Row {
  std::string_view kind;
  std::string (*answer)(FakeRedis& redis, Connection& connection, const Command& command);
};

FakeRedis::FakeRedis(uv_loop_t* loop)
    : server_(loop, [this](uv_stream_t* server) { accept(server); }) {}

FakeRedis::~FakeRedis() {
  hang_up();
}

void FakeRedis::accept(uv_stream_t* server) {
  auto* connection = new Connection(*this);
  uv_pipe_init(server->loop, &connection->pipe, 0);
  connection->pipe.data = connection;
  REQUIRE(uv_accept(server, connection->stream()) == 0);
  connections_.push_back(connection);
  ++accepted_;
  const auto allocate = [](uv_handle_t*, size_t, uv_buf_t* into) {
    static char octets[64 * 1024];
    *into = uv_buf_init(octets, sizeof octets);
  };
  uv_read_start(connection->stream(), allocate,
                [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
                  auto& self = *static_cast<Connection*>(stream->data);
                  if (count < 0) return self.redis.close(self);
                  self.redis.received(self, {buffer->base, static_cast<size_t>(count)});
                });
}

void FakeRedis::received(Connection& connection, std::string_view octets) {
  connection.in.append(octets);
  while (connection.open) {
    const auto command = next_command(connection.in);
    if (!command) return;
    obey(connection, *command);
  }
}

void FakeRedis::obey(Connection& connection, const Command& command) {
  std::optional<Answer> answer = instead ? instead(command) : std::nullopt;
  if (!answer) answer = Answer{usual_answer(connection, command), false};
  connection.send(answer->octets);
  if (answer->hang_up) close(connection);
}

std::string FakeRedis::usual_answer(Connection& connection, const Command& command) {
  static constexpr Row kRows[] = {
      {"CHARGE",
       [](FakeRedis& redis, Connection&, const Command& all) { return redis.charge(all); }},
      {"HEARTBEAT",
       [](FakeRedis& redis, Connection&, const Command& all) { return redis.heartbeat(all); }},
      {"SUBSCRIBE", [](FakeRedis& redis, Connection& self,
                       const Command& all) { return redis.subscribe(self, all); }},
      {"CLIENT ID", [](FakeRedis&, Connection&, const Command&) { return integer(7); }},
      {"SCRIPT LOAD",
       [](FakeRedis&, Connection&, const Command& all) {
         return bulk(all[2] == kChargeScript ? kChargeSha : kHeartbeatSha);
       }},
      {"SCAN", [](FakeRedis& redis, Connection&, const Command&) { return redis.scan(); }},
      {"HGETALL",
       [](FakeRedis& redis, Connection&, const Command& all) { return redis.fields(all[1]); }},
      {"PTTL",
       [](FakeRedis& redis, Connection&, const Command& all) {
         return integer(redis.hashes_.contains(all[1]) ? -1 : -2);
       }},
      {"GET", [](FakeRedis&, Connection&, const Command&) { return std::string("$-1\r\n"); }},
      {"HDEL", [](FakeRedis&, Connection&, const Command&) { return integer(1); }},
  };
  const std::string wanted = kind(command);
  for (const Row& row : kRows) {
    if (row.kind == wanted) return row.answer(*this, connection, command);
  }
  return status("OK");
}

std::string FakeRedis::kind(const Command& command) {
  const std::string& word = command[0];
  if (word == "EVALSHA") return command[1] == kChargeSha ? "CHARGE" : "HEARTBEAT";
  if (word == "EVAL") return command[1] == kChargeScript ? "CHARGE" : word;
  if ((word == "CLIENT" || word == "SCRIPT") && command.size() > 1) return word + " " + command[1];
  return word;
}

std::string FakeRedis::records(const Command& command) {
  return command.at(3 + std::strtoul(command[2].c_str(), nullptr, 10));
}

std::string FakeRedis::charge(const Command& command) {
  const std::string octets = records(command);
  for (size_t at = 0; at < octets.size(); at += kRecord)
    charged_.push_back(static_cast<uint8_t>(octets[at]));
  return array({bulk(std::string(charges_in(command), '+'))});
}

// Tells of the change it makes, as CLIENT TRACKING does.
std::string FakeRedis::heartbeat(const Command& command) {
  tell({command[3]});
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  return array({integer(now), bulk(command[5]), bulk(std::to_string(now) + "|" + command[6]), bulk(command[8])});
}

std::string FakeRedis::subscribe(Connection& connection, const Command& command) {
  connection.subscribed = true;
  return array({bulk("subscribe"), bulk(command[1]), integer(1)});
}

std::string FakeRedis::scan() const {
  std::vector<std::string> keys;
  for (const auto& [key, hash] : hashes_) keys.push_back(bulk(key));
  return array({bulk("0"), array(keys)});
}

std::string FakeRedis::fields(const std::string& key) const {
  std::vector<std::string> replies;
  const auto found = hashes_.find(key);
  if (found == hashes_.end()) return array({});
  for (const auto& [field, value] : found->second) {
    replies.push_back(bulk(field));
    replies.push_back(bulk(value));
  }
  return array(replies);
}

void FakeRedis::change(const std::string& key, std::optional<Hash> hash) {
  if (hash) {
    hashes_[key] = *std::move(hash);
  } else {
    hashes_.erase(key);
  }
  tell({key});
}

void FakeRedis::tell(const std::vector<std::string>& keys) {
  std::vector<std::string> replies;
  for (const std::string& key : keys) replies.push_back(bulk(key));
  if (!deaf) tell_octets(array({bulk("message"), bulk("__redis__:invalidate"), array(replies)}));
}

void FakeRedis::tell_octets(std::string_view octets) {
  for (Connection* connection : connections_) {
    if (connection->subscribed) connection->send(octets);
  }
}

void FakeRedis::send_octets(std::string_view octets) {
  for (Connection* connection : connections_) {
    if (!connection->subscribed) connection->send(octets);
  }
}

void FakeRedis::hang_up() {
  while (!connections_.empty()) close(*connections_.back());
}

void FakeRedis::close(Connection& connection) {
  if (!std::exchange(connection.open, false)) return;
  std::erase(connections_, &connection);
  uv_close(reinterpret_cast<uv_handle_t*>(&connection.pipe),
           [](uv_handle_t* handle) { delete static_cast<Connection*>(handle->data); });
}

std::string FakeRedis::bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string FakeRedis::array(const std::vector<std::string>& replies) {
  std::string all = "*" + std::to_string(replies.size()) + "\r\n";
  for (const std::string& reply : replies) all += reply;
  return all;
}

}  // namespace policyd::test
