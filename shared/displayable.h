// Text from anywhere as a terminal may have it: shown, never obeyed.
//
// Unseen are the characters that a terminal acts on, or that change how others are shown: controls (C0, DEL, C1), line
// separators, marks of direction, and what has no width or is not drawn at all. Pure.
#pragma once

#include <string>
#include <string_view>

namespace policyd {

// `text` with '?' for every unseen character, line ends included, and for what is not UTF-8.
std::string displayable(std::string_view text);

// A name that is told from any other: as it is, or between double quotes with escapes (\xHH) where it begins or ends
// with a space or a quote, or holds what displayable() would change.
std::string displayable_name(std::string_view name);

// A dumped JSON text, in UTF-8, with \uXXXX for unseen characters that JSON lets stand as they are: the same value.
std::string displayable_json(std::string json);

}  // namespace policyd
