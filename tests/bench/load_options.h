// The command line of the load generator.
//
// One table of rows makes the parser and the usage text. A mistake is told in one line on standard
// error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/bench/request_maker.h"

namespace policyd::bench {

struct LoadOptions {
  std::string socket;
  uint64_t connections = 50;
  double warmup = 0.5;    // seconds that are not measured
  double seconds = 3;     // measured; with `idle`: for how long the connections are held
  uint64_t requests = 0;  // not 0: as many requests, however long they take, without a warm-up
  Profile profile = Profile::outgoing;
  uint64_t accounts = 1000;
  bool idle = false;  // one request on each connection, then hold them
  bool json = false;
};

std::optional<LoadOptions> parse_load_options(int argc, char** argv);
void print_load_usage();

}  // namespace policyd::bench
