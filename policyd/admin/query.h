// What stands behind the question mark of a request to the admin API.
//
// What is given and makes no sense is an Error that begins with its name.
#pragma once

#include <cstddef>

#include "policyd/admin/api.h"
#include "shared/result.h"

namespace policyd {

// ?limit=N: how many rows are listed, from 1 to 10,000; `usual` where it is not given.
Result<size_t> limit_of(const ApiRequest& request, size_t usual);

}  // namespace policyd
