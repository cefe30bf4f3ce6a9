// A Request for tests, made from text as Postfix would send it, and what a check says about it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "policyd/checks/check.h"
#include "policyd/dnsbl/zones.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_resolver.h"

namespace policyd {

// `attributes`: "name=value" lines; the last newline may be missing. Throws where they are no
// request.
std::unique_ptr<Request> make_request(std::string_view attributes);

const CheckRow& check_named(std::string_view name);

// Those of the configuration, or the defaults where it does not know the check.
CheckSettings settings_of(const CheckSpec& spec, const Config& config);

// "outcome (detail), outcome (detail), error: WHY", or "" for nothing.
std::string describe(const CheckSpec& spec, const Observation& observation);

// What the check `name` says of an incoming request; what it waits for is given to it.
std::string observe(std::string_view name, std::string_view attributes, const Config& config,
                    test::FakeResolver& resolver, Zones& zones, const Clock& clock = test::FakeClock());
std::string observe(std::string_view name, std::string_view attributes, const Config& config,
                    test::FakeResolver& resolver);
// The same for a check that asks nothing.
std::string observe(std::string_view name, std::string_view attributes, const Config& config = {});

}  // namespace policyd
