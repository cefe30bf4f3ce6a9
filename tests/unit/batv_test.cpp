// Tags of bounce addresses: the vectors of tests/data, the grammar, the days.
#include "shared/batv.h"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "shared/hmac_sha1.h"
#include "shared/rewritten_address.h"
#include "tests/support/fake_clock.h"

using namespace policyd;

TEST_CASE("hmac_sha1: the test cases of RFC 2202") {
  const auto hex = [](const std::array<uint8_t, 20>& digest) {
    std::string text;
    for (const uint8_t octet : digest) {
      text += "0123456789abcdef"[octet >> 4];
      text += "0123456789abcdef"[octet & 15];
    }
    return text;
  };
  CHECK(hex(hmac_sha1("Jefe", "what do ya want for nothing?")) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  CHECK(hex(hmac_sha1(std::string(20, '\x0b'), "Hi There")) == "b617318655057264e28bc0b6fb378c8ef146be00");
  CHECK(hex(hmac_sha1(std::string(80, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "aa4ae5e15272d00e95705637ce8a3b55ed402112");
  CHECK(hex(hmac_sha1("", "")) == "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

TEST_CASE("batv: every vector is taken apart and signed alike") {
  std::ifstream file(std::string(POLICYD_SOURCE_DIR) + "/tests/data/batv-vectors.json");
  const auto vectors = nlohmann::json::parse(file);
  REQUIRE(vectors.size() >= 36);
  for (const auto& vector : vectors) {
    const std::string tagged = vector["tagged"];
    CAPTURE(tagged);
    const auto tag = parse_batv_tag(tagged);
    REQUIRE(tag);
    CHECK(tag->key() == vector["keynum"].get<std::string>()[0]);
    CHECK(tag->day() == std::stoi(vector["ddd"].get<std::string>()));
    CHECK(tag->address == vector["address"].get<std::string>());
    CHECK(batv_signature(vector["key"].get<std::string>(), tag->stamp, tag->address) == tag->signature);
  }
}

TEST_CASE("batv: what is tagged, and what is not") {
  struct Case {
    std::string_view address;
    bool prefix, tag;
    std::string_view untagged;
  };
  const Case cases[] = {
      {"prvs=1003abcdef=joe@example.com", true, true, "joe@example.com"},
      {"PRVS=1003ABCDEF=Joe@Example.com", true, true, "Joe@Example.com"},
      {"prvs=1003abcdef=joe+news@example.com", true, true, "joe+news@example.com"},
      {"prvs=1003abcdef=a=b@example.com", true, true, "a=b@example.com"},
      {"prvs=1003abcdef=prvs=1003abcdef=joe@example.com", true, true, "prvs=1003abcdef=joe@example.com"},
      {"prvs=0123abc=joe@example.com", true, false, "joe@example.com"},  // as others write it
      {"prvs=1003abcdeg=joe@example.com", true, false, "prvs=1003abcdeg=joe@example.com"},
      {"prvs=a003abcdef=joe@example.com", true, false, "joe@example.com"},
      {"prvs=1003abcdef", true, false, "prvs=1003abcdef"},
      {"prvs=1003abcdef=", true, false, ""},
      {"prvs=", true, false, "prvs="},
      {"prvs", false, false, "prvs"},
      {"prvsx=1003abcdef=joe@example.com", false, false, "prvsx=1003abcdef=joe@example.com"},
      {"btv1==003abcdef==joe@example.com", false, false, "joe@example.com"},
      {"btv1==003abcdef=joe@example.com", false, false, "btv1==003abcdef=joe@example.com"},
      {"joe@example.com", false, false, "joe@example.com"},
      {"", false, false, ""},
  };
  for (const Case& row : cases) {
    CAPTURE(row.address);
    CHECK(has_batv_prefix(row.address) == row.prefix);
    CHECK(parse_batv_tag(row.address).has_value() == row.tag);
    CHECK(without_batv_tag(row.address) == row.untagged);
  }
}

TEST_CASE("batv: the days that are left, over the turn of the thousand") {
  constexpr Milliseconds kWeek = std::chrono::days{7};
  const auto at = [](int days, Milliseconds after = {}) { return WallTime{std::chrono::days{days} + after}; };
  CHECK(batv_days_left(7, at(20000), kWeek) == 7);
  CHECK(batv_days_left(0, at(20000), kWeek) == 0);
  CHECK(batv_days_left(0, at(20000, std::chrono::hours{23}), kWeek) == 0);
  CHECK(batv_days_left(0, at(20001), kWeek) == -1);
  CHECK(batv_days_left(8, at(20000), kWeek) == -992);  // made with a longer lifetime, or long ago
  CHECK(batv_days_left(3, at(20996), kWeek) == 7);
  CHECK(batv_days_left(996, at(20996), kWeek) == 0);
  CHECK(batv_days_left(995, at(20996), kWeek) == -1);
  CHECK(batv_days_left(999, at(21000), kWeek) == -1);
}

TEST_CASE("batv: keys, and what is said of those that are none") {
  const auto key = BatvKey::parse("1:secret:with:colons");
  REQUIRE(key);
  CHECK(key->number == '1');
  CHECK(key->secret == "secret:with:colons");
  CHECK(key->to_string() == "1:***");
  for (const std::string_view wrong : {"", "1", "1:", "secret", ":secret", "12:secret", "x:secret"}) {
    CAPTURE(wrong);
    const auto parsed = BatvKey::parse(wrong);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message ==
          "is not a key: a digit, a colon and what is signed with are needed, as in \"1:SECRET\"");
  }
}

TEST_CASE("rewritten addresses: those of SRS") {
  for (const std::string_view local : {"srs0=hash=ts=example.org=ann", "SRS0+hash", "Srs1-x"}) CHECK(is_srs(local));
  for (const std::string_view local : {"", "srs0", "srs0=", "srs2=a", "srs0_a", "asrs0=a"}) CHECK_FALSE(is_srs(local));
}
