#include "policyd/admin/note.h"

#include <string>

#include "shared/control_octets.h"
#include "shared/text.h"

namespace policyd {

Result<void> check_note(std::string_view text) {
  if (holds_control(text)) return Error{policyd::quoted(text) + " holds a control character"};
  if (text.size() > kLongestNote) {
    return Error{"the text is longer than " + std::to_string(kLongestNote) + " octets"};
  }
  return {};
}

}  // namespace policyd
