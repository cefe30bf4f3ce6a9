// Percent-encoding of URLs: what is encoded, and what cannot be decoded.
#include "shared/percent_encoding.h"

#include <doctest/doctest.h>

using namespace policyd;

TEST_CASE("percent_encoding: all but letters, digits, -._~ and what is to be kept is encoded") {
  CHECK(percent_encode("AZaz09-._~") == "AZaz09-._~");
  CHECK(percent_encode("joe@example.com") == "joe%40example.com");
  CHECK(percent_encode("/a b?\n\xff", "/@") == "/a%20b%3F%0A%FF");
  CHECK(percent_encode("") == "");
}

TEST_CASE("percent_encoding: what was encoded is decoded, whatever the octets") {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  CHECK(percent_decode(percent_encode(all)) == all);
  CHECK(percent_decode("%2f%2F+") == "//+");
  for (const char* text : {"a%", "a%2", "a%zz", "a%-1", "%g0", "%+1", "%0x1"}) {
    CAPTURE(text);
    CHECK_FALSE(percent_decode(text).has_value());
  }
}
