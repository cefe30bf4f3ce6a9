// The handlers of the admin API's routes; each resource is a file of its name.
#pragma once

#include "policyd/admin/api.h"

namespace policyd {

// status.cpp
Task<ApiAnswer> get_status(const AdminContext& context, const ApiRequest& request);

// blocks.cpp
Task<ApiAnswer> list_blocks(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> add_block(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> get_block(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> put_block(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> patch_block(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> delete_block(const AdminContext& context, const ApiRequest& request);

// accounts.cpp
Task<ApiAnswer> list_accounts(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> list_busiest(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> get_account(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> reset_account(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> put_setting(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> delete_setting(const AdminContext& context, const ApiRequest& request);

// locks.cpp
Task<ApiAnswer> list_locks(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> lock_account(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> report_sign(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> unlock_account(const AdminContext& context, const ApiRequest& request);

// check.cpp
Task<ApiAnswer> check_request(const AdminContext& context, const ApiRequest& request);

// spf.cpp
Task<ApiAnswer> check_spf_by_hand(const AdminContext& context, const ApiRequest& request);

// report.cpp
Task<ApiAnswer> report_greylist(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> report_checks(const AdminContext& context, const ApiRequest& request);

// journal.cpp
Task<ApiAnswer> list_journal(const AdminContext& context, const ApiRequest& request);
Task<ApiAnswer> get_journal_entry(const AdminContext& context, const ApiRequest& request);

// config.cpp
Task<ApiAnswer> get_config(const AdminContext& context, const ApiRequest& request);

}  // namespace policyd
