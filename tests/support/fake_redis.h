// A Redis that a test directs: on a unix socket and on the test's own loop, so that it never
// answers by chance.
//
// Left alone it behaves: it keeps hashes, tells whoever subscribed of each heartbeat and of what
// change() changes, and lets every charge pass. `instead` says what it does instead, command by
// command. Nothing here waits.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <uv.h>
#include <vector>

#include "tests/support/unix_peers.h"

namespace policyd::test {

class FakeRedis {
 public:
  using Command =
      std::vector<std::string>;  // its words as they came: {"HGETALL", "policyd:block:..."}
  // Octets that are sent as they are, and what becomes of the connection afterwards.
  struct Answer {
    std::string octets;
    bool hang_up = false;
  };
  using Hash = std::map<std::string, std::string>;

  explicit FakeRedis(uv_loop_t* loop);
  ~FakeRedis();
  FakeRedis(const FakeRedis&) = delete;
  FakeRedis& operator=(const FakeRedis&) = delete;

  [[nodiscard]] std::string socket() const { return server_.path(); }

  // Asked first for each command; nothing: as usual. Empty octets are no answer at all.
  std::function<std::optional<Answer>(const Command& command)> instead;
  // Tells nobody of anything.
  bool deaf = false;

  // Sets a key, and tells; nullopt deletes it.
  void change(const std::string& key, std::optional<Hash> hash);
  // To those that subscribed: that `keys` changed; or any octets.
  void tell(const std::vector<std::string>& keys);
  void tell_octets(std::string_view octets);
  // To those that did not subscribe: an answer that comes unasked, or late.
  void send_octets(std::string_view octets);
  void hang_up();  // every connection

  [[nodiscard]] size_t accepted() const { return accepted_; }  // connections, since the beginning
  [[nodiscard]] size_t connections() const { return connections_.size(); }
  // First octets of the records of all charges that passed (ChargeRecord), in their order.
  [[nodiscard]] const std::vector<unsigned>& charged() const { return charged_; }

  // Replies as Redis writes them.
  static std::string status(std::string_view text) { return "+" + std::string(text) + "\r\n"; }
  static std::string error(std::string_view text) { return "-" + std::string(text) + "\r\n"; }
  static std::string integer(int64_t number) { return ":" + std::to_string(number) + "\r\n"; }
  static std::string bulk(std::string_view text);
  static std::string array(const std::vector<std::string>& replies);

  // What a command is for: "CHARGE" and "HEARTBEAT" for runs of these scripts, else its first words
  // ("CLIENT ID").
  static std::string kind(const Command& command);
  // Of a CHARGE: how many charges.
  static size_t charges_in(const Command& command) { return records(command).size() / kRecord; }

 private:
  static constexpr size_t kRecord = 18;  // octets of a charge (redis_scripts.h)
  struct Connection;
  struct Row;

  void accept(uv_stream_t* server);
  void received(Connection& connection, std::string_view octets);
  void obey(Connection& connection, const Command& command);
  std::string usual_answer(Connection& connection, const Command& command);
  std::string heartbeat(const Command& command);
  std::string charge(const Command& command);
  std::string subscribe(Connection& connection, const Command& command);
  std::string scan() const;
  std::string fields(const std::string& key) const;
  void close(Connection& connection);
  static std::string records(const Command& command);

  UnixServer server_;
  std::vector<Connection*> connections_;  // each is freed when libuv has closed it
  std::map<std::string, Hash> hashes_;
  std::vector<unsigned> charged_;
  size_t accepted_ = 0;
};

}  // namespace policyd::test
