// How long a query is waited for: the whole time-out, and while the servers are silent a tenth of it.
//
// After kSilences queries in a row that nothing came back for, those that follow are waited for only so long that an
// answer of servers that are well would be there; each is asked all the same, and for the whole time-out. Whatever
// comes back for one of them, SERVFAIL included and however late, makes patience whole again. So servers that are gone
// cost the recipients of a message little, and domains whose own servers are silent switch nothing off: everything else
// is answered meanwhile. One log line tells that it has become short, one that it is whole again. No I/O, no clock.
#pragma once

#include <string>
#include <utility>

#include "shared/clock.h"

namespace policyd {

class Patience {
 public:
  static constexpr int kSilences = 4;
  static constexpr Milliseconds kLeast{50};

  // `servers`: as the log names them.
  Patience(std::string servers, Milliseconds timeout) : servers_(std::move(servers)), timeout_(timeout) {}

  // For the next query.
  [[nodiscard]] Milliseconds now() const;
  // A query has ended by its time-out, and nothing has come back for it.
  void silence();
  // Something has come back.
  void answer();

 private:
  [[nodiscard]] bool is_short() const { return silences_ >= kSilences; }

  const std::string servers_;
  const Milliseconds timeout_;
  int silences_ = 0;  // in a row
};

}  // namespace policyd
