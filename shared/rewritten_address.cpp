#include "shared/rewritten_address.h"

#include "shared/text.h"

namespace policyd {

namespace {

bool begins_with(std::string_view text, std::string_view lower_case) {
  if (text.size() < lower_case.size()) return false;
  for (size_t i = 0; i < lower_case.size(); ++i) {
    if (lower(text[i]) != lower_case[i]) return false;
  }
  return true;
}

}  // namespace

std::string_view without_batv_tag(std::string_view address) {
  constexpr std::string_view kPrvs = "prvs=", kBtv = "btv1==";
  constexpr size_t kShortestTag = 7;
  if (begins_with(address, kPrvs)) {
    const size_t end = address.find('=', kPrvs.size());
    if (end == std::string_view::npos) return address;
    const std::string_view tag = address.substr(kPrvs.size(), end - kPrvs.size());
    if (tag.size() >= kShortestTag && is_hex(tag)) return address.substr(end + 1);
  }
  if (begins_with(address, kBtv)) {
    const size_t end = address.find("==", kBtv.size());
    if (end != std::string_view::npos) return address.substr(end + 2);
  }
  return address;
}

bool is_srs(std::string_view local) {
  constexpr std::string_view kSeparators = "=+-";
  return local.size() > 5 && (begins_with(local, "srs0") || begins_with(local, "srs1")) &&
         kSeparators.find(local[4]) != std::string_view::npos;
}

}  // namespace policyd
