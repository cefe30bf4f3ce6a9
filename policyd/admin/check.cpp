// The admin API's check: what a request of Postfix would be answered, and everything that leads to
// it. Changes nothing.
//
// The body is a request as Postfix sends it; the empty line at its end may be missing, as it often
// is in files.
#include "policyd/admin/resources.h"
#include "policyd/verdict_json.h"
#include "shared/protocol.h"

namespace policyd {

namespace {

Result<void> read_request(std::string text, Request& request) {
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty())
    return Error{"the request is empty; expected lines of NAME=VALUE as Postfix sends them"};
  if (text.find("\r\n") != std::string::npos)
    return Error{"lines end in CRLF; Postfix ends them with LF alone"};
  RequestReader reader;
  reader.feed(text);
  reader.feed("\n\n");
  const auto step = reader.next(request);
  if (!step) return Error{"not a request of Postfix: " + step.error().message};
  if (reader.pending() > 0)
    return Error{"there is more than one request; check them one at a time"};
  return {};
}

}  // namespace

Task<ApiAnswer> check_request(const AdminContext& context, const ApiRequest& request) {
  Request asked;
  if (const auto read = read_request(request.text, asked); !read)
    co_return refusal(400, read.error().message);
  const auto explaining = context.engine.explain(asked);
  const Verdict verdict = co_await explaining;
  co_return answer(verdict_json(verdict));
}

}  // namespace policyd
