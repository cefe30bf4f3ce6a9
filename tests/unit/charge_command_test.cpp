// Charges as one command for Redis, octet by octet; and its answers, those that make no sense included.
#include "policyd/store/charge_command.h"

#include <doctest/doctest.h>

#include "policyd/store/packed_numbers.h"
#include "policyd/store/redis_scripts.h"
#include "policyd/store/resp.h"
#include "tests/support/charges.h"

namespace policyd {
namespace {

const Keys kKeys("p:");
const Limits kLimits{{Meter::messages, 5, Milliseconds{60'000}}, {Meter::bytes, 9, Milliseconds{1'000}}};
const Limits kOthers{{Meter::recipients, 7, Milliseconds{60'000}}};

Charge charge_of(std::string_view account, std::string_view instance, const Limits& limits = kLimits) {
  return test::recipient_charge(account, instance, "ann@example.com", 100, &limits);
}

// The arguments of a command.
std::vector<std::string> arguments_of(std::string_view command) {
  std::vector<std::string> arguments;
  REQUIRE(command.starts_with('*'));
  command.remove_prefix(command.find('\n') + 1);
  while (!command.empty()) {
    const size_t line = command.find("\r\n");
    const size_t size = std::stoul(std::string(command.substr(1, line)));
    arguments.emplace_back(command.substr(line + 2, size));
    command.remove_prefix(line + 2 + size + 2);
  }
  return arguments;
}

std::string list_of(const Limits& limits, const Limits& signs = {}) {
  std::string octets;
  append_limits(octets, limits, signs);
  return octets;
}

std::string number(double value) {
  std::string octets;
  append_number(octets, value);
  return octets;
}

RedisReply integer(int64_t value) {
  RedisReply reply;
  reply.kind = RedisReply::Kind::integer;
  reply.integer = value;
  return reply;
}

RedisReply text(const std::string& value) {
  RedisReply reply;
  reply.kind = RedisReply::Kind::text;
  reply.text = value;
  return reply;
}

RedisReply array(std::vector<RedisReply> elements) {
  RedisReply reply;
  reply.kind = RedisReply::Kind::array;
  reply.elements = std::move(elements);
  return reply;
}

TEST_CASE("resp: a command is an array of bulk strings") {
  std::string out = "x";
  const std::vector<std::string_view> words{"SET", "a\r\nb", ""};
  append_command(out, words);
  CHECK(out == "x*3\r\n$3\r\nSET\r\n$4\r\na\r\nb\r\n$0\r\n\r\n");
  out.clear();
  append_bulk(out, size_t{120});
  CHECK(out == "$3\r\n120\r\n");
}

TEST_CASE("charge_command: keys, records and each list of limits once") {
  const Limits same = kLimits;
  ChargeCommand command(kKeys);
  command.add(charge_of("joe", "i1"), ChargeMode::live, {});
  command.add(charge_of("ann", "", same), ChargeMode::dry, {});
  Charge settle = charge_of("joe", "i2", kOthers);
  settle.kind = Charge::Kind::settle;
  settle.recipients = 3;
  settle.ended = true;
  command.add(settle, ChargeMode::live, {});
  const auto arguments = arguments_of(command.take("EVALSHA", "sha"));
  REQUIRE(arguments.size() == 13);
  const std::vector<std::string> front(arguments.begin(), arguments.begin() + 8);
  CHECK(front == std::vector<std::string>{"EVALSHA", "sha", "5", "p:rate:{joe}", "p:rate:{ann}", "p:rate:{joe}",
                                          "p:message:{joe}:i1", "p:message:{joe}:i2"});
  const std::string& records = arguments[8];
  REQUIRE(records.size() == 54);
  CHECK(records.substr(0, 10) == "\x08\x01" + number(100));
  CHECK(records.substr(18, 10) == "\x02\x01" + number(100));
  CHECK(records.substr(36) == "\x19\x02" + number(100) + number(3));
  CHECK(records.substr(10, 8) != records.substr(28, 8));  // the same recipient of another message
  CHECK(arguments[9].empty());
  CHECK(arguments[10].empty());
  CHECK(arguments[11] == list_of(kLimits));
  CHECK(arguments[12] == list_of(kOthers));
}

TEST_CASE("charge_command: what is merged goes with its time; what is given back only where there is one") {
  ChargeCommand command(kKeys);
  Charge refused = charge_of("joe", "i1");
  refused.kind = Charge::Kind::give_back;
  command.add(charge_of("joe", "i1"), ChargeMode::merge, WallTime(Milliseconds{17}));
  command.add(refused, ChargeMode::live, WallTime(Milliseconds{19}));
  const auto arguments = arguments_of(command.take("EVAL", "source"));
  CHECK(arguments[0] == "EVAL");
  CHECK(arguments[7].at(0) == '\x0c');
  CHECK(arguments[7].at(18) == '\x0f');
  CHECK(arguments[8] == number(17) + number(19));
  command.clear();
  command.add(charge_of("joe", "i1"), ChargeMode::merge_known, WallTime(Milliseconds{23}));
  const auto known = arguments_of(command.take("EVAL", "source"));
  CHECK(known[5].at(0) == '\x2c');
  CHECK(known[6] == number(23));
  command.clear();
  command.add(charge_of("joe", ""), ChargeMode::live, {});
  CHECK(arguments_of(command.take("EVALSHA", "sha")).at(2) == "1");
  command.clear();
  command.add(refused, ChargeMode::live, {});
  CHECK(arguments_of(command.take("EVALSHA", "sha")).at(6).empty());
}

TEST_CASE("charge_command: answers are taken in order") {
  const RedisReply reply = array({text("+-!-"), integer(1), integer(250), text(number(3) + number(9)), text("ERR no"),
                                  integer(0), integer(-1), text("")});
  auto answers = ChargeAnswers::of(reply, 4);
  REQUIRE(answers);
  CHECK(answers->next().kind == ChargeAnswer::Kind::passed);
  const ChargeAnswer refused = answers->next();
  CHECK(refused.kind == ChargeAnswer::Kind::refused);
  CHECK(refused.limit == 1);
  CHECK(refused.retry_after == Milliseconds{250});
  const ChargeResult result = refused.result(charge_of("joe", "i1"));
  CHECK_FALSE(result.passed);
  CHECK(result.limit == kLimits[1]);
  CHECK(result.uses == std::vector<LimitUse>{{kLimits[0], 3}, {kLimits[1], 9}});
  const ChargeAnswer failed = answers->next();
  CHECK(failed.kind == ChargeAnswer::Kind::failed);
  CHECK(failed.error == "ERR no");
  CHECK_FALSE(answers->next().retry_after.has_value());
}

TEST_CASE("charge_command: what counts different elements has a key and a network of its own, behind all others") {
  const Limits signs{{Meter::distinct_recipients, 5, Milliseconds{60'000}}, {Meter::spam, 3, Milliseconds{60'000}}};
  const Limits spam{{Meter::spam, 3, Milliseconds{60'000}}};
  ChargeCommand command(kKeys);
  command.hash_with({1, 2});
  Charge charge = charge_of("joe", "i1");
  charge.signs = &signs;
  command.add(charge, ChargeMode::live, {});
  command.add(charge_of("ann", ""), ChargeMode::live, {});
  charge.recipient = "bob@example.com";
  charge.network = "192.0.2.0/24";
  command.add(charge, ChargeMode::live, {});
  Charge sign = charge;
  sign.kind = Charge::Kind::sign;
  sign.instance = {};
  sign.meter = Meter::spam;
  sign.amount = 3;
  command.add(sign, ChargeMode::live, {});
  sign.signs = &spam;
  command.add(sign, ChargeMode::live, {});
  const auto arguments = arguments_of(command.take("EVALSHA", "sha"));
  REQUIRE(arguments.size() == 19);
  const std::vector<std::string> keys(arguments.begin() + 2, arguments.begin() + 13);
  CHECK(keys == std::vector<std::string>{"10", "p:rate:{joe}", "p:rate:{ann}", "p:rate:{joe}", "p:rate:{joe}",
                                         "p:rate:{joe}", "p:message:{joe}:i1", "p:message:{joe}:i1", "p:seen:{joe}",
                                         "p:seen:{joe}", "p:seen:{joe}"});
  const std::string& records = arguments[13];
  REQUIRE(records.size() == 90);
  CHECK(records.substr(0, 2) == "\x48\x01");
  CHECK(records.substr(18, 2) == std::string("\0\x02", 2));
  CHECK(records.substr(54) == "\xc0\x01" + number(3) + number(7) + "\x80\x03" + number(3) + number(7));
  const auto recipient = [&records](size_t charged) { return records.substr(18 * charged + 10, 8); };
  CHECK(recipient(0) != std::string(8, '\0'));
  CHECK(recipient(0) != recipient(2));
  const std::string& networks = arguments[15];
  REQUIRE(networks.size() == 24);
  CHECK(networks.substr(0, 8) == std::string(8, '\0'));  // none is known
  CHECK(networks.substr(8, 8) != std::string(8, '\0'));
  CHECK(networks.substr(16) == std::string(8, '\0'));
  CHECK(arguments[16] == list_of(kLimits, signs));
  CHECK(arguments[17] == list_of(kLimits));
  CHECK(arguments[18] == list_of(kLimits, spam));
}

TEST_CASE("charge_command: an answer tells the sign that is gone over") {
  const RedisReply reply =
      array({text("Ss+"), integer(1), integer(501), integer(2), integer(9), text(""), integer(0), integer(6)});
  auto answers = ChargeAnswers::of(reply, 3);
  REQUIRE(answers);
  const ChargeAnswer passed = answers->next();
  CHECK(passed.kind == ChargeAnswer::Kind::passed);
  CHECK(passed.sign == 1);
  CHECK(passed.sign_used == 501);
  const ChargeAnswer refused = answers->next();
  CHECK(refused.kind == ChargeAnswer::Kind::refused);
  CHECK(refused.limit == 2);
  CHECK(refused.retry_after == Milliseconds{9});
  CHECK(refused.sign == 0);
  CHECK(refused.sign_used == 6);
  CHECK_FALSE(answers->next().sign.has_value());
}

// As Redis 6.0 and 6.2 put what a command within a script is refused for; Redis 7 gives the error alone.
TEST_CASE("charge_command: an error is that of Redis, without its place in the script") {
  struct Case {
    const char* said;
    const char* error;
  };
  const Case cases[] = {
      {"OOM command not allowed when used memory > 'maxmemory'.",
       "OOM command not allowed when used memory > 'maxmemory'."},
      {"@user_script: 41: -OOM command not allowed when used memory > 'maxmemory'.\r\n",
       "OOM command not allowed when used memory > 'maxmemory'."},
      {"@user_script: 7: -READONLY You can't write against a read only replica.\r\n",
       "READONLY You can't write against a read only replica."},
      {"@user_script: 230: -MISCONF Redis is configured to save RDB snapshots",
       "MISCONF Redis is configured to save RDB snapshots"},
      {"@user_script: 230: Wrong number of args", "Wrong number of args"},
      {"@user_script: here", "@user_script: here"},
      {"@user_script: 4", "@user_script: 4"},
      {"@user_script: ", "@user_script: "},
      {"@user_script: 4: ", ""},
      {"-OOM", "-OOM"},
      {"", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.said);
    const RedisReply reply = array({text("!"), text(c.said)});
    auto answers = ChargeAnswers::of(reply, 1);
    REQUIRE(answers);
    CHECK(answers->next().error == c.error);
  }
}

TEST_CASE("charge_command: an answer that does not fit the charges is none") {
  CHECK_FALSE(ChargeAnswers::of(RedisReply{}, 1));
  CHECK_FALSE(ChargeAnswers::of(integer(1), 1));
  CHECK_FALSE(ChargeAnswers::of(array({text("+")}), 2));
  CHECK_FALSE(ChargeAnswers::of(array({text("-")}), 1));
  CHECK_FALSE(ChargeAnswers::of(array({text("-"), integer(1)}), 1));
  CHECK_FALSE(ChargeAnswers::of(array({text("!")}), 1));
  CHECK_FALSE(ChargeAnswers::of(array({text("+"), integer(1)}), 1));
}

}  // namespace
}  // namespace policyd
