// A session of an MCP server, in both generations of the protocol.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "error.hpp"
#include "ipc/message.hpp"
#include "limits.hpp"
#include "unit/protocol/mcp/generation.hpp"
#include "unit/protocol/mcp/handshake_request.hpp"
#include "unit/protocol/mcp/identity.hpp"
#include "unit/protocol/mcp/mcp.hpp"
#include "unit/protocol/mcp/methods.hpp"
#include "unit/protocol/mcp/session_record.hpp"
#include "unit/protocol/mcp/tools.hpp"
#include "unit/protocol/progress_tokens.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "util/async.hpp"
#include "util/file_uri.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using util::json_object;
using util::raw_json;

constexpr std::int64_t unsupported_version = -32022;
constexpr int pages_max = 256;
constexpr std::string_view generation_key = "era";  // of the value that a session remembers

// The server does not know the method.
bool is_unknown_method(const failure& why) {
    return why.kind() == error_kind::worker_error &&
           util::json_find_integer(why.detail(), {"code"}) == ipc::method_not_found;
}

struct list_row {
    std::string_view member, method, capability;
};
constexpr std::array lists{
    list_row{"tools", "tools/list", "tools"},
    list_row{"resources", "resources/list", "resources"},
    list_row{"resourceTemplates", "resources/templates/list", "resources"},
    list_row{"prompts", "prompts/list", "prompts"},
};

class mcp_session final : public protocol_session {
public:
    bool wants_restart() const override { return wants_restart_; }

    asio::awaitable<std::string> start(session_host& host) override {
        const mcp_generation known = mcp_generation_named(host.recall(generation_key));
        const bool is_old = known == mcp_generation::legacy || known == mcp_generation::unproven;
        auto handshake = is_old ? initialize(host, known) : probe(host);
        std::string result = co_await std::move(handshake);
        remember(host, modern_ ? mcp_generation::modern : mcp_generation::legacy);
        if (!modern_) host.notify("notifications/initialized", {});
        capabilities_ = util::json_find(result, {"capabilities"});
        co_return result;
    }

    asio::awaitable<std::string> handle_call(session_host& host, call_request call, event_watch* watch,
                                             util::deadline limit) override {
        if (call.params.empty()) call.params = "{}";
        const bool maybe_method = call.method.find('/') != std::string::npos;
        if (!is_mcp_method(call.method) && !(maybe_method && !is_listed(call.method))) {
            co_return co_await call_tool(host, std::move(call), watch, limit);
        }
        std::optional<failure> failed;
        std::string result;
        try {
            result = co_await request_with_progress(host, call, watch, limit);
        } catch (const failure& why) {
            failed.emplace(why);
        }
        if (failed && is_unknown_method(*failed) && !is_mcp_method(call.method)) {
            co_await list_tools(host, limit);
            if (is_listed(call.method)) co_return co_await call_tool(host, std::move(call), watch, limit);
        }
        if (failed) throw failure(*failed);
        check_result(host.spec().name, result, false);
        co_return result;
    }

    asio::awaitable<std::string> list(session_host& host, util::deadline limit) override {
        json_object all;
        for (const auto& row : lists) {
            if (util::json_member_of(capabilities_, row.capability).empty()) continue;
            const auto items = co_await list_all(host, row, limit);
            if (!items) continue;
            util::json_array array;
            for (const auto& item : *items)
                array.add(raw_json{item});
            all.add(row.member, array);
        }
        co_return std::move(all).text();
    }

    bool on_server_request(session_host& host, const worker_message& request) override {
        if (request.method == "ping") {
            host.reply(request, "{}");
        } else if (request.method == "roots/list") {
            util::json_array roots;
            roots.add(json_object().add("uri", util::uri_of_path(host.spec().cwd)));
            host.reply(request, json_object().add("roots", roots).text());
        } else if (request.method == "elicitation/create") {
            host.reply(request, json_object().add("action", "decline").text());
        } else {
            return false;
        }
        return true;
    }

    std::uint64_t on_notification(session_host&, const std::string& name, std::string& params) override {
        if (name == "notifications/tools/list_changed") tools_.reset();
        if (name != "notifications/progress") return 0;
        std::string callers;
        const std::uint64_t owner = tokens_->find(util::json_find(params, {"progressToken"}), callers);
        if (const auto renewed = limits_.find(owner); renewed != limits_.end()) renewed->second->renew();
        if (owner != 0) params = util::json_set(params, {"progressToken"}, callers);
        return owner;
    }

    std::optional<carried_session> state_for_successor() override {
        if (wants_restart_ || !limits_.empty()) return std::nullopt;
        mcp_session_record record;
        record.modern = modern_;
        record.revision = revision_;
        record.capabilities = capabilities_;
        record.has_tools = tools_.has_value();
        if (tools_) add_tools(record, tools_->schemas());
        record.last_token = static_cast<std::int64_t>(tokens_->last());
        return carried_as(record);
    }

    bool resume(session_host&, carried_session state) override {
        auto record = parse_mcp_session_record(state.json);
        if (!record) return false;
        modern_ = record->modern;
        revision_ = std::move(record->revision);
        capabilities_ = std::move(record->capabilities);
        if (record->has_tools) tools_.emplace(tools_of(*record));
        tokens_->continue_after(static_cast<std::uint64_t>(record->last_token));
        return true;
    }

private:
    // The limit of a call, found by the call's progress token.
    struct registered_limit {
        std::map<std::uint64_t, renewable_limit*>& all;
        std::uint64_t token;
        registered_limit(std::map<std::uint64_t, renewable_limit*>& limits, std::uint64_t number,
                         renewable_limit& limit)
            : all(limits), token(number) {
            all.emplace(token, &limit);
        }
        ~registered_limit() { all.erase(token); }
        registered_limit(const registered_limit&) = delete;
        registered_limit& operator=(const registered_limit&) = delete;
    };

    // The server may report progress, which renews the limit unless the caller has set it.
    asio::awaitable<std::string> request_with_progress(session_host& host, call_request call,
                                                       event_watch* watch, util::deadline limit) {
        std::string callers(util::json_find(call.params, {"_meta", "progressToken"}));
        if (!watch && callers.empty() && call.method != "tools/call") {
            call.params = with_identity(host, std::move(call.params));
            co_return co_await host.request(std::move(call.method), std::move(call.params), limit);
        }
        const progress_tokens::token token(tokens_, std::move(callers));
        call.params = util::json_set(call.params, {"_meta", "progressToken"}, token.raw());
        if (watch) watch->set_owner(token.number());
        call.params = with_identity(host, std::move(call.params));
        if (call.timeout) {
            co_return co_await host.request_for(watch, std::move(call.method), std::move(call.params), limit);
        }
        const auto& spec = worker_spec_of(host.spec());
        renewable_limit renewal(spec.call_timeout, spec.call_limit);
        const registered_limit registered(limits_, token.number(), renewal);
        co_return co_await host.request_renewable(renewal, watch, std::move(call.method),
                                                  std::move(call.params), limit);
    }

    bool is_listed(std::string_view tool) const { return tools_ && tools_->has(tool); }

    asio::awaitable<std::string> call_tool(session_host& host, call_request call, event_watch* watch,
                                           util::deadline limit) {
        co_await check_tool(host, call.method, call.params, limit);
        json_object params;
        params.add("name", call.method).add("arguments", raw_json{call.params});
        call.params = std::move(params).text();
        call.method = "tools/call";
        std::string result = co_await request_with_progress(host, std::move(call), watch, limit);
        check_result(host.spec().name, result, true);
        co_return result;
    }

    static void remember(session_host& host, mcp_generation generation) {
        host.remember(generation_key, std::string(name_of(generation)), validity::configuration);
    }

    // Asks for the modern generation first. Silence and errors mean the legacy one. Both requests stay open
    // until one is answered: a server that is slow to start looks like one that is silent.
    asio::awaitable<std::string> probe(session_host& host) {
        modern_ = true;
        const auto discover = start_mcp_request(host, "server/discover", with_identity(host, {}));
        co_await util::within(limits::mcp_probe_timeout, discover->done.wait());
        if (discover->error_code() == unsupported_version) {
            co_return co_await discover_again(host, *discover->failed);
        }
        if (discover->failed_with(error_kind::worker_died)) {
            restart_as_legacy(host);
            throw failure(*discover->failed);
        }
        if (discover->result && is_modern(*discover->result)) co_return *discover->result;
        modern_ = false;
        const auto initialize = start_mcp_request(host, "initialize", mcp_initialize_params(host.spec()));
        if (!discover->done.is_set()) {
            co_await util::first_of(discover->done.wait(), initialize->done.wait());
        }
        if (discover->result && is_modern(*discover->result) && !initialize->result) {
            modern_ = true;
            co_return *discover->result;
        }
        co_await initialize->done.wait();
        if (initialize->result) co_return *initialize->result;
        // It refused the first request and then ended, maybe because of it.
        if (initialize->failed_with(error_kind::worker_died) && discover->failed) restart_as_legacy(host);
        throw failure(*initialize->failed);
    }

    void restart_as_legacy(session_host& host) {
        remember(host, mcp_generation::unproven);
        wants_restart_ = true;
    }

    // With a revision that the server has named in its refusal.
    asio::awaitable<std::string> discover_again(session_host& host, failure refused) {
        revision_ = newest_modern_revision(util::json_find(refused.detail(), {"data", "supported"}));
        if (revision_.empty() || revision_ == mcp_modern_revision) {
            throw failure(error_kind::worker_error, cannot("start", host.spec().name),
                          fmt::format("it speaks none of the revisions {} and {}", mcp_modern_revision,
                                      mcp_legacy_revision),
                          {}, refused.detail());
        }
        co_return co_await host.request("server/discover", with_identity(host, {}), mcp_handshake_limit());
    }

    bool is_modern(std::string_view discovered) {
        const std::string_view listed = util::json_find(discovered, {"supportedVersions"});
        if (listed.empty()) return true;
        const std::string newest = newest_modern_revision(listed);
        if (!newest.empty()) revision_ = newest;
        return !newest.empty();
    }

    // The legacy handshake of a server that an earlier process showed to be `known`. That may be wrong by
    // now: the program may have been replaced, or may have died of something else.
    asio::awaitable<std::string> initialize(session_host& host, mcp_generation known) {
        std::optional<failure> failed;
        try {
            co_return co_await host.request("initialize", mcp_initialize_params(host.spec()),
                                            mcp_handshake_limit());
        } catch (const failure& why) {
            failed.emplace(why);
        } catch (const std::exception&) {  // the limit of the whole handshake
            remember(host, mcp_generation::unknown);
            throw;
        }
        if (failed->kind() != error_kind::cancelled) remember(host, mcp_generation::unknown);
        // A server that is unproven has died of the probe: it is neither probed nor restarted again.
        if (known == mcp_generation::legacy && failed->kind() == error_kind::worker_error) {
            co_return co_await probe(host);
        }
        wants_restart_ = known == mcp_generation::legacy && failed->kind() == error_kind::worker_died;
        throw failure(*failed);
    }

    // In the modern generation each request says who asks.
    std::string with_identity(session_host& host, std::string params) const {
        if (!modern_) return params;
        const std::string info = mcp_configured(host.spec(), "clientInfo", mcp_client_info());
        const std::string capabilities = mcp_configured(host.spec(), "capabilities", "{}");
        json_object identity;
        identity.add("io.modelcontextprotocol/protocolVersion", revision_)
            .add("io.modelcontextprotocol/clientInfo", raw_json{info})
            .add("io.modelcontextprotocol/clientCapabilities", raw_json{capabilities});
        const std::string_view given = util::json_find(params, {"_meta"});
        return util::json_set(params, {"_meta"}, util::json_merge(identity.text(), given));
    }

    asio::awaitable<void> list_tools(session_host& host, util::deadline limit) {
        const auto listed = co_await list_all(host, lists[0], limit);
        tools_.reset();
        if (listed) tools_.emplace(*listed);
    }

    // The items of all pages of one list, raw. nullopt: the server does not have this list.
    asio::awaitable<std::optional<std::vector<std::string>>> list_all(session_host& host, list_row row,
                                                                      util::deadline limit) {
        std::vector<std::string> items;
        std::size_t size = 0;
        std::set<std::string> cursors;  // a server may return one that it has returned before,
        std::set<std::string> seen;     // and then lists the same again
        std::string cursor;
        for (int page = 0; page < pages_max; ++page) {
            json_object params;
            if (!cursor.empty()) params.add("cursor", raw_json{cursor});
            std::optional<failure> failed;
            std::string result;
            try {
                result =
                    co_await host.request(std::string(row.method), with_identity(host, params.text()), limit);
            } catch (const failure& why) {
                failed.emplace(why);
            }
            if (failed && page == 0 && is_unknown_method(*failed)) co_return std::nullopt;
            if (failed) throw failure(*failed);
            cursor = add_page(result, row.member, seen, items);
            size += result.size();
            if (size > limits::line_max) throw too_long(host, row);
            if (cursor.empty() || cursor == "null" || !cursors.insert(cursor).second) break;
        }
        co_return items;
    }

    // Adds the items that were not seen on an earlier page. Returns the cursor of the next one; raw.
    static std::string add_page(std::string_view page, std::string_view member, std::set<std::string>& seen,
                                std::vector<std::string>& items) {
        std::string cursor;
        for (const auto& each : util::json_object_members(page).value_or(std::vector<util::json_member>())) {
            if (each.key == "nextCursor") cursor = each.value;
            if (each.key != member) continue;
            const auto listed = util::json_array_elements(each.value);
            for (const auto item : listed.value_or(std::vector<std::string_view>())) {
                if (seen.emplace(item).second) items.emplace_back(item);
            }
        }
        return cursor;
    }

    static failure too_long(const session_host& host, const list_row& row) {
        return failure(error_kind::worker_error, cannot("call", host.spec().name),
                       fmt::format("its answers to {} are longer than 16 MiB together", row.method));
    }

    // Throws failure(usage) for a call that the tool's schema does not allow. The list may have changed
    // without a notification: a mismatch is checked against a new list before it counts.
    asio::awaitable<void> check_tool(session_host& host, std::string tool, std::string arguments,
                                     util::deadline limit) {
        for (bool fresh = !tools_;; fresh = true) {
            if (fresh) {
                co_await list_tools(host, limit);
            }
            if (!tools_) co_return;  // a server without the list may have the tool
            const auto mismatch = tools_->mismatch(host.spec().name, tool, arguments);
            if (!mismatch) co_return;
            if (fresh) throw failure(*mismatch);
        }
    }

    bool modern_ = false;  // the generation that is spoken
    bool wants_restart_ = false;
    std::string revision_{mcp_modern_revision};
    std::string capabilities_;
    std::optional<tool_list> tools_;                    // nullopt: not listed, or out of date
    std::map<std::uint64_t, renewable_limit*> limits_;  // of the calls in flight, by progress token
    // Also held by each token.
    std::shared_ptr<progress_tokens> tokens_ = std::make_shared<progress_tokens>();
};

}  // namespace

std::shared_ptr<protocol_session> make_mcp_session() { return std::make_shared<mcp_session>(); }

}  // namespace hob::unit
