// Commands as Redis reads them: an array of bulk strings
// (https://redis.io/docs/latest/develop/reference/protocol-spec/), appended to what is to be sent. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace policyd {

// The head of a command of `arguments` arguments, its name included; that many bulk strings follow.
void append_command_head(std::string& out, size_t arguments);
void append_bulk(std::string& out, std::string_view octets);
void append_bulk(std::string& out, size_t number);

// A whole command.
void append_command(std::string& out, std::span<const std::string_view> arguments);

}  // namespace policyd
