// Requests of tests in lines, as Postfix sends them: a well-behaved stranger at RCPT, and what differs from that.
#pragma once

#include <map>
#include <string>

namespace policyd::test {

using Attributes = std::map<std::string, std::string>;

// The lines of a request without the empty one at its end; `changes` replace or add attributes.
std::string request_lines(const Attributes& changes = {});

// The same of a client that has logged in as joe@example.com.
std::string outgoing_lines(Attributes changes = {});

}  // namespace policyd::test
