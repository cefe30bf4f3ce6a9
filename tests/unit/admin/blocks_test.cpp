// The admin API and blocks: made, changed, shown, lifted, and what cannot be meant.
#include <doctest/doctest.h>

#include "tests/support/api_rig.h"

using namespace policyd;
using Reply = test::ApiReply;
using Rig = test::ApiRig;
using test::kJoe;

TEST_CASE("api: a block is put as it is given, shown, listed and lifted") {
  Rig rig;
  CHECK(rig.ask("GET", "/v1/blocks").json == Json({{"blocks", Json::array()}}));
  Reply put = rig.ask("PUT", "/v1/blocks/email/Joe%40Example.com", kJoe.dump());
  CHECK(put.status == 201);
  CHECK(put.json == kJoe);
  CHECK(rig.ask("GET", "/v1/blocks/email/joe@example.com").json == kJoe);
  CHECK(rig.ask("GET", "/v1/blocks").json["blocks"] == Json::array({kJoe}));
  put = rig.ask("PUT", "/v1/blocks/email/joe@example.com", kJoe.dump());
  CHECK(put.status == 200);  // again, with the same result
  CHECK(rig.ask("GET", "/v1/blocks").json["blocks"] == Json::array({kJoe}));
  CHECK(rig.ask("DELETE", "/v1/blocks/email/joe@example.com").json ==
        Json({{"removed", "email:joe@example.com"}}));
  CHECK(rig.error("DELETE", "/v1/blocks/email/joe@example.com") ==
        "404 there is no block email:joe@example.com");
  CHECK(rig.error("GET", "/v1/blocks/email/joe@example.com") ==
        "404 there is no block email:joe@example.com");
  CHECK(rig.error("PATCH", "/v1/blocks/email/joe@example.com", "{}") ==
        "404 there is no block email:joe@example.com");
}

TEST_CASE("api: a new block has its type inferred, is made now, and does not replace another") {
  Rig rig;
  const Reply made =
      rig.ask("POST", "/v1/blocks", R"({"target": "192.0.2.0/24", "for": "2d", "by": "ann"})");
  CHECK(made.status == 201);
  CHECK(made.json == Json({{"type", "client"},
                           {"target", "192.0.2.0/24"},
                           {"direction", "both"},
                           {"by", "ann"},
                           {"created", "2026-11-21T10:00:00Z"},
                           {"expires", "2026-11-23T10:00:00Z"}}));
  CHECK(rig.error("POST", "/v1/blocks", R"({"target": "192.0.2.0/24"})") ==
        "409 there is already a block client:192.0.2.0/24");
  CHECK(rig.ask("GET", "/v1/blocks/client/192.0.2.0%2F24").json == made.json);
}

TEST_CASE("api: a change of a block leaves what it does not name") {
  Rig rig;
  rig.ask("PUT", "/v1/blocks/email/joe@example.com", kJoe.dump());
  Json wanted = kJoe;
  wanted["direction"] = "both";
  wanted.erase("reply");
  wanted.erase("expires");
  const Reply changed = rig.ask("PATCH", "/v1/blocks/email/joe@example.com",
                                R"({"direction": "both", "reply": "", "expires": null})");
  CHECK(changed.status == 200);
  CHECK(changed.json == wanted);
}

TEST_CASE("api: a block that cannot be meant is refused with the key and the reason") {
  Rig rig;
  struct Case {
    std::string_view body, error;
  };
  const Case cases[] = {
      {"[]", "400 the body is not a JSON object"},
      {"{", "400 the body is not a JSON object"},
      {"", "400 the body is not a JSON object"},
      {R"({"directoin": "in"})",
       "400 \"directoin\" is not a part of a block; expected direction, description, reply, by, "
       "created, expires or for"},
      {R"({"direction": "up"})", "400 direction: \"up\" is none of in, out, both"},
      {R"({"direction": null})", "400 direction: expected a text"},
      {R"({"description": 1})", "400 description: expected a text"},
      {R"({"description": "a\nb"})", "400 description: \"a\\x0ab\" holds a control character"},
      {R"({"expires": "tomorrow"})",
       "400 expires: \"tomorrow\" is not a time; expected e.g. 2026-11-21T10:00:00Z"},
      {R"({"expires": "2026-11-21T10:00:00Z"})",
       "400 expires: \"2026-11-21T10:00:00Z\" has passed; the block would end before it begins"},
      {R"({"expires": "2046-11-21T10:00:00Z"})",
       "400 expires: \"2046-11-21T10:00:00Z\" is more than 10 years ahead"},
      {R"({"for": "0s"})", "400 for: \"0s\" is no time at all; expected e.g. 2d"},
      {R"({"for": "1d", "expires": null})", "400 for and expires say the same; give one of them"},
      {R"({"target": "x@y.example"})",
       "400 the body is about email:x@y.example, the path about email:a@b.example"},
      {R"({"type": 1, "target": "a@b.example"})",
       "400 type: 1 is none of email, domain, ehlo, client, account, recipient"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.body);
    CHECK(rig.error("PUT", "/v1/blocks/email/a@b.example", std::string(one.body)) == one.error);
  }
  CHECK(rig.error("PUT", "/v1/blocks/email/a@b.example", R"({"reply": "250 ok"})")
            .starts_with("400 reply: \"250 ok\""));
  CHECK(rig.error("GET", "/v1/blocks/mail/a@b.example") ==
        "400 \"mail\" is not a type of block; expected email, domain, ehlo, client, account or "
        "recipient");
  CHECK(rig.error("POST", "/v1/blocks", "{}") ==
        "400 target: expected a text, e.g. \"joe@example.com\"");
  CHECK(rig.mirror.block_count() == 0);
}
