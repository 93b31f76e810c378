#include "unit/protocol/dap/frame.hpp"

#include <utility>

#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

std::string handle_params(std::string_view key, std::string_view handle) {
    return util::json_object().add(key, util::raw_json{handle}).text();
}

}  // namespace

std::string dap_handle(std::string_view params, std::string_view key) {
    const std::string_view raw = util::json_member_of(params, key);
    return util::json_integer(raw) ? std::string(raw) : std::string();
}

asio::awaitable<std::string> top_frame_of(session_host& host, std::string thread, util::deadline limit) {
    if (thread.empty()) co_return std::string();
    util::json_object params;
    params.add("threadId", util::raw_json{thread}).add("startFrame", 0).add("levels", 1);
    const std::string stack = co_await host.request("stackTrace", std::move(params).text(), limit);
    const auto frames = util::json_array_elements(util::json_find(stack, {"stackFrames"}));
    if (!frames || frames->empty()) co_return std::string();
    co_return std::string(frames->front());
}

asio::awaitable<std::string> locals_scope_of(session_host& host, std::string frame, util::deadline limit) {
    if (frame.empty()) co_return std::string();
    const std::string scopes = co_await host.request("scopes", handle_params("frameId", frame), limit);
    const auto all = util::json_array_elements(util::json_find(scopes, {"scopes"}));
    if (!all || all->empty()) co_return std::string();
    std::string_view chosen = all->front();
    for (const auto scope : *all) {
        if (util::json_find_string(scope, {"presentationHint"}) == "locals") chosen = scope;
    }
    co_return dap_handle(chosen, "variablesReference");
}

asio::awaitable<std::string> locals_of(session_host& host, std::string frame, util::deadline limit) {
    const std::string reference = co_await locals_scope_of(host, std::move(frame), limit);
    if (reference.empty()) co_return std::string();
    const std::string answer =
        co_await host.request("variables", handle_params("variablesReference", reference), limit);
    const std::string_view variables = util::json_find(answer, {"variables"});
    co_return std::string(variables.starts_with('[') ? variables : std::string_view());
}

raw_members missing_details(const failure& why) {
    raw_members details;
    details.emplace_back("details_error", util::json_quote(why.what()));
    return details;
}

asio::awaitable<raw_members> details_of_stop(session_host& host, std::string frame, util::deadline limit) {
    raw_members details;
    details.emplace_back("frame", frame);
    try {
        std::string variables = co_await locals_of(host, dap_handle(frame, "id"), limit);
        if (!variables.empty()) details.emplace_back("locals", std::move(variables));
    } catch (const failure& why) {
        details.push_back(missing_details(why).front());
    }
    co_return details;
}

}  // namespace hob::unit
