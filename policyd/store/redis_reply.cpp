#include "policyd/store/redis_reply.h"

#include <hiredis/hiredis.h>

namespace policyd {

RedisReply RedisReply::copy(const redisReply& from) {
  RedisReply reply;
  switch (from.type) {
    case REDIS_REPLY_INTEGER:
      reply.kind = Kind::integer;
      reply.integer = from.integer;
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = Kind::text;
      reply.text.assign(from.str, static_cast<size_t>(from.len));
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = Kind::error;
      reply.text.assign(from.str, static_cast<size_t>(from.len));
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Kind::array;
      reply.elements.reserve(from.elements);
      for (size_t i = 0; i < from.elements; ++i) reply.elements.push_back(copy(*from.element[i]));
      break;
    default:
      break;
  }
  return reply;
}

}  // namespace policyd
