// Counters as octets, for the state file: each cell a zigzag varint, after one octet that names this form.
//
// Small numbers (nearly all of them) take one to six octets in place of eight. Pure. Octets that are not of this form
// decode to nothing; whether the cells make sense is for Counters::from_cells to say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policyd/store/sliding_window.h"

namespace policyd {

std::string encode_cells(const Counters::Cells& cells);
std::optional<Counters::Cells> decode_cells(std::string_view octets);

}  // namespace policyd
