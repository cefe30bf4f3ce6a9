// Blocks in the admin API: list, show, add, replace, change, lift.
//
// The mirror answers what is asked, the store makes what is changed durable before the answer goes
// out.
#include "policyd/admin/audit.h"
#include "policyd/admin/block_json.h"
#include "policyd/admin/resources.h"
#include "shared/text.h"

namespace policyd {

namespace {

Result<BlockTarget> target_of(const ApiRequest& request) {
  const auto type = parse_block_type(request.path[0]);
  if (!type) {
    return Error{policyd::quoted(request.path[0]) +
                 " is not a type of block; expected email, domain, ehlo, client, account or "
                 "recipient"};
  }
  return BlockTarget::make(*type, request.path[1]);
}

ApiAnswer not_there(const BlockTarget& target) {
  return refusal(404, "there is no block " + block_name(target));
}

BlockRules rules_of(const AdminContext& context) {
  return {context.clock.wall(), context.engine.config().blocks.reply};
}

// A block as `request` describes it, made now.
Result<Block> new_block(const AdminContext& context, const ApiRequest& request,
                        BlockTarget target) {
  Block block;
  block.target = std::move(target);
  block.created = format_time(context.clock.wall());
  if (auto changed = change_block(block, request.json, rules_of(context)); !changed)
    return changed.error();
  return block;
}

Task<ApiAnswer> store_block(const AdminContext& context, Block block, int status) {
  const auto putting = context.store.put_block(block);
  const Result<void> put = co_await putting;
  if (!put) co_return refusal(503, put.error().message);
  log_change("block=" + policyd::quoted(block_name(block.target)) + " by=" +
             policyd::quoted(block.by) + " description=" + policyd::quoted(block.description));
  co_return answer(block_to_json(block), status);
}

}  // namespace

Task<ApiAnswer> list_blocks(const AdminContext& context, const ApiRequest&) {
  const auto write = [blocks = context.mirror.blocks()] {
    Json list = Json::array();
    for (const Block& block : blocks) list.push_back(block_to_json(block));
    Json body = {{"blocks", std::move(list)}};
    return body;
  };
  ApiAnswer listed{200, write};
  co_return listed;
}

Task<ApiAnswer> get_block(const AdminContext& context, const ApiRequest& request) {
  const Result<BlockTarget> target = target_of(request);
  if (!target) co_return refusal(400, target.error().message);
  const Block* block = context.mirror.find(*target);
  if (!block) co_return not_there(*target);
  co_return answer(block_to_json(*block));
}

Task<ApiAnswer> add_block(const AdminContext& context, const ApiRequest& request) {
  const Result<BlockTarget> target = target_from_json(request.json);
  if (!target) co_return refusal(400, target.error().message);
  if (context.mirror.find(*target)) {
    co_return refusal(409, "there is already a block " + block_name(*target));
  }
  const Result<Block> block = new_block(context, request, *target);
  if (!block) co_return refusal(400, block.error().message);
  const auto storing = store_block(context, *block, 201);
  co_return co_await storing;
}

Task<ApiAnswer> put_block(const AdminContext& context, const ApiRequest& request) {
  const Result<BlockTarget> target = target_of(request);
  if (!target) co_return refusal(400, target.error().message);
  const Result<Block> block = new_block(context, request, *target);
  if (!block) co_return refusal(400, block.error().message);
  const int status = context.mirror.find(*target) ? 200 : 201;
  const auto storing = store_block(context, *block, status);
  co_return co_await storing;
}

Task<ApiAnswer> patch_block(const AdminContext& context, const ApiRequest& request) {
  const Result<BlockTarget> target = target_of(request);
  if (!target) co_return refusal(400, target.error().message);
  const Block* known = context.mirror.find(*target);
  if (!known) co_return not_there(*target);
  Block block = *known;
  if (auto changed = change_block(block, request.json, rules_of(context)); !changed) {
    co_return refusal(400, changed.error().message);
  }
  const auto storing = store_block(context, block, 200);
  co_return co_await storing;
}

Task<ApiAnswer> delete_block(const AdminContext& context, const ApiRequest& request) {
  const Result<BlockTarget> target = target_of(request);
  if (!target) co_return refusal(400, target.error().message);
  const auto removing = context.store.remove_block(*target);
  const Result<bool> removed = co_await removing;
  if (!removed) co_return refusal(503, removed.error().message);
  if (!*removed) co_return not_there(*target);
  log_change("block=" + policyd::quoted(block_name(*target)) + " lifted");
  Json body = {{"removed", block_name(*target)}};
  co_return answer(std::move(body));
}

}  // namespace policyd
