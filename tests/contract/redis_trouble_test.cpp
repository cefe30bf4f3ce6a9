// A Redis that misbehaves: refuses, answers with something else, breaks off, comes and goes, falls
// silent. Every charge is answered, blocks stay in force, and the log has one line for each change
// of state.
#include <doctest/doctest.h>

#include "policyd/store/redis_scripts.h"
#include "tests/contract/trouble_rig.h"

namespace policyd {
namespace {

using test::all_passed;
using test::answering;
using test::FakeRedis;
using test::kBlock;
using test::kBlockKey;
using test::local;
using Answer = FakeRedis::Answer;
using Rig = test::TroubleRig;

TEST_CASE(
    "redis trouble: what is needed is refused: away with that reason, and back when it is "
    "allowed") {
  for (const char* kind : {"CLIENT ID", "SUBSCRIBE", "CLIENT TRACKING", "SCRIPT LOAD"}) {
    INFO(kind);
    const auto refuse = [kind](FakeRedis& redis) {
      redis.instead = answering(kind, {FakeRedis::error("NOPERM this user has no permissions")});
    };
    Rig rig(Milliseconds{10'000}, refuse);
    CHECK_FALSE(rig.serves());
    CHECK(rig.reason().starts_with("away: " + std::string(kind)));
    CHECK(rig.reason().find("NOPERM") != std::string::npos);
    const auto results = rig.charge(5);
    CHECK(local(results) == 5);
    CHECK(all_passed(results));
    rig.loop.turn_until(
        [&] { return rig.redis.accepted() >= 6; });  // tried again and again, told once
    rig.redis.instead = {};
    rig.until_it_serves(5);
    rig.loop.turn_until([&] { return rig.blocks_joe(); });
    rig.check_told(1, 1);
    CHECK(rig.redis.charged() ==
          std::vector<unsigned>(5, ChargeRecord::merges | ChargeRecord::has_message));
  }
}

TEST_CASE("redis trouble: a script that is refused later sends it away, and blocks stay") {
  Rig rig;
  rig.redis.instead = [](const FakeRedis::Command& command) {
    return command[0] == "EVALSHA" ? std::optional(Answer{FakeRedis::error("NOPERM no")})
                                   : std::nullopt;
  };
  CHECK(local(rig.charge(3)) == 3);
  rig.until_it_is_away();
  CHECK(rig.reason() == "away: NOPERM no");
  CHECK(rig.blocks_joe());
  rig.redis.instead = {};
  rig.until_it_serves(3);
  rig.check_told(1, 1);
}

TEST_CASE(
    "redis trouble: read-only, but for reading: charges are local, changes of blocks are seen") {
  Rig rig;
  rig.redis.instead = [](const FakeRedis::Command& command) {
    const bool writes = command[0] == "EVALSHA" || command[0] == "EVAL";
    return writes ? std::optional(Answer{
                        FakeRedis::error("READONLY You can't write against a read only replica.")})
                  : std::nullopt;
  };
  CHECK(local(rig.charge(3)) == 3);
  rig.until_it_is_away();
  rig.redis.change(kBlockKey, std::nullopt);
  rig.loop.turn_until([&] { return !rig.blocks_joe(); });
  rig.redis.change(kBlockKey, kBlock);
  rig.loop.turn_until([&] { return rig.blocks_joe(); });
  rig.check_told(1, 0);
  rig.redis.instead = {};
  rig.until_it_serves(3);
  rig.check_told(1, 1);
}

TEST_CASE("redis trouble: nothing is told of changes: noticed, and everything is read anew") {
  Rig rig;
  rig.redis.deaf = true;
  rig.redis.change(kBlockKey, std::nullopt);
  rig.until_it_is_away();
  CHECK(rig.reason() == "away: it does not tell of changes any more");
  rig.redis.deaf = false;
  rig.until_it_serves(0);
  rig.loop.turn_until([&] { return !rig.blocks_joe(); });
  rig.check_told(1, 1);
}

TEST_CASE(
    "redis trouble: an answer to a charge that is none: decided here, and Redis is asked on") {
  const std::vector<std::string> answers{
      "+OK\r\n",
      ":1\r\n",
      "$-1\r\n",
      "*-1\r\n",
      "*0\r\n",
      "$0\r\n\r\n",
      "*1\r\n$0\r\n\r\n",
      "*1\r\n:1\r\n",
      "*1\r\n$-1\r\n",
      "*1\r\n$1\r\n+\r\n",                     // too few
      "*1\r\n$3\r\n+++\r\n",                   // too many
      "*1\r\n$2\r\n--\r\n",                    // refused, with nothing to say of it
      "*2\r\n$2\r\n+-\r\n:0\r\n",              // with too little
      "*3\r\n$2\r\n+-\r\n:0\r\n:1\r\n",
      "*5\r\n$2\r\n+-\r\n:0\r\n:1\r\n$0\r\n\r\n:2\r\n",  // with too much
      "*1\r\n*1\r\n*1\r\n$2\r\n++\r\n",        // in arrays
      "*1\r\n$2\r\nxx\r\n",
      "-ERR what is this\r\n",
      "-\r\n",
  };
  for (const std::string& octets : answers) {
    INFO(octets);
    Rig rig;
    rig.redis.instead = answering("CHARGE", {octets});
    for (int time = 0; time < 2; ++time) {
      const auto results = rig.charge(2);
      CHECK(local(results) == 2);
      CHECK(all_passed(results));
    }
    CHECK(rig.serves());
    CHECK(rig.lines("could not be counted and was decided on this node alone") == 1);
    rig.redis.instead = {};
    CHECK(local(rig.charge(2)) == 0);
    CHECK(rig.to_merge() == 0);
    rig.check_told(0, 0);
  }
}

TEST_CASE("redis trouble: refusals with figures that make no sense are still refusals") {
  for (const char* octets :
       {"*4\r\n$1\r\n-\r\n:99\r\n:-5\r\n$3\r\nxyz\r\n",
        "*4\r\n$1\r\n-\r\n:-1\r\n:9223372036854775807\r\n$8\r\n\xff\xff\xff\xff\xff\xff\xff\xff\r\n",
        "*4\r\n$1\r\n-\r\n$1\r\nx\r\n*0\r\n:1\r\n", "*4\r\n$1\r\n-\r\n$-1\r\n$-1\r\n*-1\r\n"}) {
    INFO(octets);
    Rig rig;
    rig.redis.instead = answering("CHARGE", {octets});
    const auto results = rig.charge(1);
    CHECK_FALSE(results[0].passed);
    CHECK_FALSE(results[0].local);
  }
}

TEST_CASE("redis trouble: an error in the middle of a run is that charge's alone") {
  Rig rig;
  rig.redis.instead = answering("CHARGE", {"*2\r\n$3\r\n+!+\r\n$17\r\nWRONGTYPE of this\r\n"});
  auto results = rig.charge(3);
  CHECK((!results[0].local && results[1].local && !results[2].local));
  CHECK(rig.to_merge() == 0);
  rig.check_told(0, 0);

  // One that tells of Redis as a whole sends it away, but what was counted was counted.
  rig.redis.instead = answering("CHARGE", {"*2\r\n$3\r\n+!+\r\n$10\r\nOOM no way\r\n"});
  results = rig.charge(3);
  CHECK((!results[0].local && results[1].local && !results[2].local));
  rig.redis.instead = {};
  rig.until_it_serves(1);
  rig.check_told(1, 1);
}

TEST_CASE(
    "redis trouble: octets that are no reply, or half of one: a new connection, blocks stay, "
    "charges are merged") {
  const std::vector<Answer> answers{
      {"hello\r\n"},
      {"$99999999999999999999\r\n"},
      {"$-7\r\n"},
      {"*-7\r\n"},
      {":12x\r\n"},
      {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n$1\r\n+\r\n"},
      {"", true},
      {"*1\r\n$3\r\n+", true},
      {"*1\r\n$3\r\n+++", true},
      {"*1000\r\n$3\r\n", true},
      {"$536870912\r\n+++", true},
  };
  for (const Answer& answer : answers) {
    INFO(answer.octets);
    Rig rig;
    rig.redis.instead = answering("CHARGE", answer);
    const auto results = rig.charge(3);
    CHECK(local(results) == 3);
    CHECK(all_passed(results));
    rig.until_it_is_away();
    CHECK(rig.blocks_joe());
    rig.redis.instead = {};
    rig.until_it_serves(3);
    CHECK(rig.blocks_joe());
    rig.check_told(1, 1);
  }
}

TEST_CASE(
    "redis trouble: no answer, or one that comes too late: once, and what comes late is nobody's") {
  Rig rig(Milliseconds{50});
  rig.redis.instead = answering("CHARGE", {""});
  CHECK(local(rig.charge(300)) == 300);
  rig.until_it_is_away();
  rig.redis.send_octets(FakeRedis::array({FakeRedis::bulk(std::string(300, '-'))}));
  CHECK(rig.reason() == "away: no answer within 50ms");
  CHECK(rig.blocks_joe());
  CHECK(local(rig.charge(1)) == 1);
  rig.redis.instead = {};
  rig.until_it_serves(301);
}

TEST_CASE(
    "redis trouble: connections that end as soon as they are made: every charge is answered, told "
    "once") {
  Rig rig;
  rig.redis.instead = [](const FakeRedis::Command&) { return std::optional(Answer{"", true}); };
  rig.redis.hang_up();
  const size_t before = rig.redis.accepted();
  size_t charged = 0;
  rig.loop.turn_until([&] {
    if (charged < 500) charged += local(rig.charge(2));
    return rig.redis.accepted() >= before + 8;
  });
  CHECK(charged == 500);
  CHECK(rig.blocks_joe());
  rig.redis.instead = {};
  rig.until_it_serves(charged);
  rig.check_told(1, 1);
}

TEST_CASE(
    "redis trouble: it ends at any place of making a connection: told once, and back in the end") {
  // The n-th command after the loss is where it ends.
  for (size_t last = 1; last <= 10; ++last) {
    INFO("command " << last);
    Rig rig;
    size_t count = 0;
    rig.redis.hang_up();
    rig.redis.instead = [&](const FakeRedis::Command&) {
      return ++count == last ? std::optional(Answer{"", true}) : std::nullopt;
    };
    rig.until_it_is_away();
    CHECK(local(rig.charge(1)) == 1);
    rig.loop.turn_until([&] { return count > last; });
    rig.until_it_serves(1);
    CHECK(rig.blocks_joe());
    const size_t away = rig.lines(": away: ");
    CHECK(away <= 2);  // it may have served for a moment
    rig.check_told(away, away);
  }
}

TEST_CASE("redis trouble: it goes in the middle of the merge: nothing is merged twice or lost") {
  Rig rig;
  rig.redis.instead = answering("HEARTBEAT", {FakeRedis::error("LOADING")});
  rig.redis.hang_up();
  rig.until_it_is_away();
  CHECK(local(rig.charge(600)) == 600);
  size_t runs = 0;
  rig.redis.instead = [&runs](const FakeRedis::Command& command) {
    const bool third = FakeRedis::kind(command) == "CHARGE" && ++runs == 3;
    return third ? std::optional(Answer{"", true}) : std::nullopt;
  };
  rig.until_it_serves(600);
  CHECK(runs > 3);
  const size_t away = rig.lines(": away: ");
  rig.check_told(away, away);
}

TEST_CASE(
    "redis trouble: a message that is refused at its end while Redis is away is given back there") {
  Rig rig;
  const Limits few{{Meter::recipients, 2, Milliseconds{3'600'000}}};
  auto charge = rig.messages(1)[0];
  charge.limits = &few;
  CHECK(rig.charge({charge})[0].passed);
  rig.redis.instead = answering("HEARTBEAT", {FakeRedis::error("LOADING")});
  rig.redis.hang_up();
  rig.until_it_is_away();
  charge.kind = Charge::Kind::settle;
  charge.recipients = 3;
  charge.ended = true;
  CHECK_FALSE(rig.charge({charge})[0].passed);
  rig.redis.instead = {};
  rig.until_it_serves(2);
  REQUIRE(rig.redis.charged().size() == 2);
  CHECK((rig.redis.charged()[1] & ChargeRecord::gives_back) != 0);
}

TEST_CASE(
    "redis trouble: the store ends while Redis is silent: said how much is lost, and no longer "
    "than its patience") {
  Rig rig(Milliseconds{50});
  rig.redis.instead = [](const FakeRedis::Command&) { return std::optional(Answer{""}); };
  CHECK(local(rig.charge(10)) == 10);
  rig.until_it_is_away();
  rig.loop.run(rig.store->stop());
  rig.store.reset();
  CHECK(rig.lines("10 charges counted on this node alone could not be merged") == 1);
}

TEST_CASE("redis trouble: what nobody asked for: a new connection, told once, blocks stay") {
  struct Case {
    std::string octets, reason;
    bool on_changes = false;
  };
  const std::string unasked = "it sent what nobody asked for", full = "ERR max number of clients reached";
  const std::vector<Case> cases{
      {"+OK\r\n", unasked},
      {":1\r\n", unasked},
      {"$-1\r\n", unasked},
      {"*0\r\n", unasked},
      {FakeRedis::array({FakeRedis::bulk("message"), FakeRedis::bulk("x"), "*0\r\n"}), unasked},
      {FakeRedis::error(full), full},
      {"+OK\r\n", unasked, true},
      {"$-1\r\n", unasked, true},
      {"*0\r\n", unasked, true},
      {"*3\r\n:1\r\n:2\r\n:3\r\n", unasked, true},
      {"*3\r\n$-1\r\n$-1\r\n$-1\r\n", unasked, true},
      {FakeRedis::array({FakeRedis::bulk("pmessage"), FakeRedis::bulk("x"), "*0\r\n"}), unasked, true},
      {FakeRedis::error(full), full, true},
  };
  for (const Case& each : cases) {
    INFO(each.octets << (each.on_changes ? " on the connection of changes" : ""));
    Rig rig;
    each.on_changes ? rig.redis.tell_octets(each.octets) : rig.redis.send_octets(each.octets);
    rig.loop.turn_until([&] { return rig.reason() == "away: " + each.reason; });
    CHECK(rig.blocks_joe());
    CHECK(local(rig.charge(1)) == 1);
    rig.until_it_serves(1);
    CHECK(rig.blocks_joe());
    rig.check_told(1, 1);
  }
}

TEST_CASE("redis trouble: odd messages of changes") {
  Rig rig;
  const auto message = [](const std::string& payload) {
    return FakeRedis::array(
        {FakeRedis::bulk("message"), FakeRedis::bulk("__redis__:invalidate"), payload});
  };
  for (const std::string& payload :
       {std::string("$-1\r\n"), std::string("*-1\r\n"), std::string(":5\r\n"),
        std::string("+OK\r\n"), FakeRedis::array({}),
        FakeRedis::array({":5\r\n", "$-1\r\n", "*0\r\n"}),
        FakeRedis::array({FakeRedis::bulk(""), FakeRedis::bulk("policyd:block:"),
                          FakeRedis::bulk(std::string("policyd:block:email:\0\n", 22))})}) {
    rig.redis.tell_octets(message(payload));
    test::settle(rig.loop);
  }
  for (int beat = 0; beat < 3; ++beat) CHECK(local(rig.charge(1)) == 0);
  CHECK(rig.blocks_joe());
  rig.check_told(0, 0);
}

TEST_CASE("redis trouble: heartbeats answered with something else") {
  for (const char* octets :
       {"+OK\r\n", ":5\r\n", "$-1\r\n", "*0\r\n", "*1\r\n$3\r\nfoo\r\n", "*3\r\n:5\r\n*0\r\n:7\r\n",
        "*3\r\n:1763700000000\r\n$1\r\nx\r\n$20\r\n99999999999999999999\r\n",
        "*3\r\n:1763700000000\r\n$1\r\nx\r\n$24\r\n17|{\"uptime\":1e300,\"a\":1}\r\n"}) {
    INFO(octets);
    Rig rig;
    size_t beats = 0;
    rig.redis.instead = [&](const FakeRedis::Command& command) {
      if (FakeRedis::kind(command) != "HEARTBEAT") return std::optional<Answer>();
      ++beats;
      return std::optional(Answer{octets});
    };
    rig.loop.turn_until([&] { return beats >= 2; });
    CHECK(all_passed(rig.charge(1)));
    CHECK(rig.blocks_joe());
    rig.redis.instead = {};
    rig.loop.turn_until([&] { return rig.serves(); });
  }
}

}  // namespace
}  // namespace policyd
