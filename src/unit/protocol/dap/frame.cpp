#include "unit/protocol/dap/frame.hpp"

#include <utility>

#include "util/json_edit.hpp"
#include "util/json_text.hpp"

namespace hob::unit {

namespace asio = boost::asio;

std::string dap_handle(std::string_view params, std::string_view key) {
    const std::string_view raw = util::json_member_of(params, key);
    return util::json_integer(raw) ? std::string(raw) : std::string();
}

asio::awaitable<std::string> top_frame_of(session_host& with, std::string thread, util::deadline limit) {
    if (thread.empty()) co_return std::string();
    std::string params = R"({"threadId":)" + thread + R"(,"startFrame":0,"levels":1})";
    const std::string stack = co_await with.ask("stackTrace", std::move(params), limit);
    const auto frames = util::json_array_elements(util::json_find(stack, {"stackFrames"}));
    if (!frames || frames->empty()) co_return std::string();
    co_return std::string(frames->front());
}

asio::awaitable<std::string> locals_of(session_host& with, std::string frame, util::deadline limit) {
    if (frame.empty()) co_return std::string();
    const std::string scopes = co_await with.ask("scopes", R"({"frameId":)" + frame + "}", limit);
    const auto all = util::json_array_elements(util::json_find(scopes, {"scopes"}));
    if (!all || all->empty()) co_return std::string();
    std::string_view chosen = all->front();
    for (const auto scope : *all) {
        if (util::json_find_string(scope, {"presentationHint"}) == "locals") chosen = scope;
    }
    const std::string reference = dap_handle(chosen, "variablesReference");
    if (reference.empty()) co_return std::string();
    const std::string variables =
        co_await with.ask("variables", R"({"variablesReference":)" + reference + "}", limit);
    const std::string_view found = util::json_find(variables, {"variables"});
    co_return std::string(found.starts_with('[') ? found : std::string_view());
}

}  // namespace hob::unit
