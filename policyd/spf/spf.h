// SPF: whether a client is permitted to send mail for a domain (RFC 7208).
//
// Needs the resolver and nothing else. Never fails: what cannot be found out is `temperror`, what the domain's
// records get wrong is `permerror`. All limits of RFC 7208, 4.6.4 hold, whatever a record says: ten terms with
// look-ups, ten names of an MX or PTR, two terms whose look-ups find nothing. How long it may take is for the caller
// to say: dropping the task ends it.
#pragma once

#include <cstdint>
#include <string>

#include "policyd/async/task.h"
#include "policyd/dns/resolver.h"
#include "policyd/spf/record.h"

namespace policyd {

struct SpfQuery {
  IpAddress client;
  std::string sender;    // the envelope sender as it was given; empty: the null sender
  std::string helo;      // what the client said at EHLO or HELO
  std::string receiver;  // this host, for %{r}; empty: "unknown"
  int64_t now = 0;       // for %{t}: seconds since the epoch
  bool explain = true;   // look the explanation of a `fail` up
};

struct SpfOutcome {
  SpfResult result = SpfResult::none;
  std::string explanation;  // of a fail, by the domain's owner (exp=): printable ASCII, a stranger's words; empty: none
                            // is given
  std::string mechanism;    // the directive that matched, as it was published: "-all"; empty: none did
  std::string problem;      // none, temperror, permerror: why, for people; may hold a stranger's text
  std::string domain;       // of the identity that was checked
  bool names_unknown = false;  // a record asked for the client's names, and not all of them could be looked up
  bool of_local_part = false;  // a record asked for the local part: the domain's other senders may fare otherwise
  bool helo = false;        // the HELO identity was checked, as the sender is null
};

Task<SpfOutcome> check_spf(Resolver& resolver, SpfQuery query);

// RFC 7208, 4.6.4.
inline constexpr int kSpfMostTerms = 10;
inline constexpr int kSpfMostVoids = 2;
inline constexpr size_t kSpfMostNames = 10;

}  // namespace policyd
