// The model context protocol, in both its eras. Revision 2026-07-28 has no handshake: `server/discover` says
// what the server is, and every request carries who asks. Before it, a session begins with `initialize`.

#include <fmt/format.h>

#include <array>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/protocol/mcp/schema_check.hpp"
#include "unit/protocol/progress_tokens.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "util/async.hpp"
#include "util/file_uri.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"
#include "util/suggest.hpp"
#include "version.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

constexpr std::string_view modern_revision = "2026-07-28";
constexpr std::string_view legacy_revision = "2025-11-25";
constexpr std::int64_t unsupported_version = -32022;
constexpr int pages_max = 256;

// What is remembered of a server. Unproven: it died of the probe, and nothing was seen of it since.
constexpr std::string_view generation_key = "era";
constexpr std::string_view modern_generation = "modern";
constexpr std::string_view legacy_generation = "legacy";
constexpr std::string_view unproven_generation = "unproven";

// What goes beyond an ask: both may be under way at once, and either may decide.
struct attempt {
    explicit attempt(const asio::any_io_executor& executor) : over(executor) {}
    std::optional<std::string> result;
    std::optional<failure> failed;
    util::manual_reset_event over;
    bool done() const { return result || failed; }
};
using attempt_ptr = std::shared_ptr<attempt>;  // the handshake's, and the asking coroutine's

asio::awaitable<void> try_asking(session_host& with, std::string method, std::string params,
                                 attempt_ptr into) {
    try {
        auto answered =
            with.ask(std::move(method), std::move(params), util::deadline::in(limits::handshake_timeout));
        into->result = co_await std::move(answered);
    } catch (const failure& why) {
        into->failed.emplace(why);
    }
    into->over.set();
}

std::optional<std::int64_t> error_code_of(const failure& why) {
    if (why.kind() != error_kind::worker_error) return std::nullopt;
    return util::json_find_integer(why.detail(), {"code"});
}

// The newest revision of the modern era among `listed`, an array; empty: none.
std::string modern_among(std::string_view listed) {
    std::string newest;
    for (const auto raw : util::json_array_elements(listed).value_or(std::vector<std::string_view>())) {
        const auto revision = util::json_unquote(raw);
        if (!revision || *revision < modern_revision) continue;
        if (*revision == modern_revision) return *revision;
        newest = std::max(newest, *revision);
    }
    return newest;
}

bool is_protocol_method(std::string_view method) {
    return method == "ping" || method.find('/') != std::string_view::npos;
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
    bool has_start() const override { return true; }
    bool wants_another() const override { return another_; }

    asio::awaitable<std::string> start(session_host& with) override {
        const std::string protocol_generation = with.recall(generation_key);
        auto begun = protocol_generation == legacy_generation || protocol_generation == unproven_generation
                         ? initialize(with, protocol_generation)
                         : probe(with);
        std::string result = co_await std::move(begun);
        with.remember(generation_key, std::string(modern_ ? modern_generation : legacy_generation),
                      validity::configuration);
        if (!modern_) with.notify("notifications/initialized", {});
        capabilities_ = util::json_find(result, {"capabilities"});
        co_return result;
    }

    asio::awaitable<std::string> handle_call(session_host& with, call_request wish, event_watch* watch,
                                             util::deadline limit) override {
        const bool tool = !is_protocol_method(wish.method);
        if (tool) {
            co_await check_tool(with, wish.method, wish.params, limit);
            const std::string arguments = wish.params.empty() ? "{}" : wish.params;
            wish.params =
                R"({"name":)" + util::json_quote(wish.method) + R"(,"arguments":)" + arguments + "}";
            wish.method = "tools/call";
        }
        std::string callers(util::json_find(wish.params, {"_meta", "progressToken"}));
        std::optional<progress_tokens::token> token;
        if (watch || !callers.empty()) {
            token.emplace(tokens_, std::move(callers));
            wish.params = util::json_set(wish.params, {"_meta", "progressToken"}, token->raw());
            if (watch) watch->own(token->number());
        }
        wish.params = with_identity(with, std::move(wish.params));
        std::string result =
            co_await with.ask_for(watch, std::move(wish.method), std::move(wish.params), limit);
        refuse_unfinished(with, result, tool);
        co_return result;
    }

    asio::awaitable<std::string> list(session_host& with, util::deadline limit) override {
        std::string all = "{";
        for (const auto& row : lists) {
            if (util::json_member_of(capabilities_, row.capability).empty()) continue;
            const std::string items = co_await list_all(with, row, limit);
            all += fmt::format("{}\"{}\":{}", all.size() > 1 ? "," : "", row.member, items);
        }
        co_return all + "}";
    }

    bool asked(session_host& with, const worker_message& request) override {
        if (request.method == "ping") {
            with.reply(request, "{}");
        } else if (request.method == "roots/list") {
            with.reply(request,
                       R"({"roots":[{"uri":)" + util::json_quote(util::uri_of_path(with.spec().cwd)) + "}]}");
        } else if (request.method == "elicitation/create") {
            with.reply(request, R"({"action":"decline"})");
        } else {
            return false;
        }
        return true;
    }

    std::uint64_t heard(session_host&, const std::string& name, std::string& params) override {
        if (name == "notifications/tools/list_changed") tools_.clear();
        if (name != "notifications/progress") return 0;
        std::string callers;
        const std::uint64_t owner = tokens_->owner(util::json_find(params, {"progressToken"}), callers);
        if (owner != 0) params = util::json_set(params, {"progressToken"}, callers);
        return owner;
    }

private:
    static std::string about_us(session_host& with, std::string_view member, std::string_view by_default) {
        const auto& said = std::get<worker_spec>(with.spec().detail).initialize_json;
        return util::json_merge(by_default, util::json_member_of(said, member));
    }
    static std::string our_name() {
        return fmt::format(R"({{"name":"hob","version":{}}})", util::json_quote(version_text));
    }

    // The modern era is asked for first. Silence and errors mean the old one; both questions stay open until
    // one of them is answered, for a server that is slow to start is not told from one that is silent.
    asio::awaitable<std::string> probe(session_host& with) {
        modern_ = true;
        const auto first = begin(with, "server/discover", with_identity(with, {}));
        co_await util::within(limits::mcp_probe_timeout, first->over.wait());
        if (first->failed && error_code_of(*first->failed) == unsupported_version) {
            auto discovered = discover_again(with, *first->failed);
            co_return co_await std::move(discovered);
        }
        if (first->failed && first->failed->kind() == error_kind::worker_died) {
            start_once_more(with);
            throw failure(*first->failed);
        }
        if (first->result && is_modern(*first->result)) co_return *first->result;
        modern_ = false;
        const auto second = begin(with, "initialize", legacy_params(with));
        auto one = first->done() ? second->over.wait() : first->over.wait();
        auto other = second->over.wait();
        co_await util::first_of(std::move(one), std::move(other));
        if (first->result && is_modern(*first->result) && !second->result) {
            modern_ = true;
            co_return *first->result;
        }
        co_await second->over.wait();
        if (second->result) co_return *second->result;
        // It has refused the first question, and ended: of that, maybe.
        if (second->failed->kind() == error_kind::worker_died && first->failed) start_once_more(with);
        throw failure(*second->failed);
    }

    void start_once_more(session_host& with) {
        with.remember(generation_key, std::string(unproven_generation), validity::configuration);
        another_ = true;
    }

    asio::awaitable<std::string> discover_again(session_host& with, failure refused) {
        revision_ = modern_among(util::json_find(refused.detail(), {"data", "supported"}));
        if (revision_.empty() || revision_ == modern_revision) {
            throw failure(error_kind::worker_error,
                          fmt::format("cannot start '{}': it speaks none of the revisions {} and {}",
                                      with.spec().name, modern_revision, legacy_revision),
                          {}, refused.detail());
        }
        co_return co_await with.ask("server/discover", with_identity(with, {}),
                                    util::deadline::in(limits::handshake_timeout));
    }

    bool is_modern(std::string_view discovered) {
        const std::string_view listed = util::json_find(discovered, {"supportedVersions"});
        if (listed.empty()) return true;
        const std::string newest = modern_among(listed);
        if (!newest.empty()) revision_ = newest;
        return !newest.empty();
    }

    // Not asked for the newer era, because of what an earlier process did. That may be wrong by now: the
    // program was replaced, or died of something else.
    asio::awaitable<std::string> initialize(session_host& with, std::string protocol_generation) {
        std::optional<failure> failed;
        auto answered =
            with.ask("initialize", legacy_params(with), util::deadline::in(limits::handshake_timeout));
        try {
            co_return co_await std::move(answered);
        } catch (const failure& why) {
            failed.emplace(why);
        } catch (const std::exception&) {  // the whole handshake's limit
            with.remember(generation_key, {}, validity::configuration);
            throw;
        }
        if (failed->kind() != error_kind::cancelled)
            with.remember(generation_key, {}, validity::configuration);
        // Not where it died of the probe, which it would again, and be started for that again.
        if (failed->kind() == error_kind::worker_error && protocol_generation == legacy_generation) {
            co_return co_await probe(with);
        }
        // Not after a probe that it died of: it would be started for ever.
        another_ = failed->kind() == error_kind::worker_died && protocol_generation == legacy_generation;
        throw failure(*failed);
    }

    attempt_ptr begin(session_host& with, std::string method, std::string params) {
        auto made = std::make_shared<attempt>(with.executor());
        util::spawn(with.executor(), try_asking(with, std::move(method), std::move(params), made),
                    "handshake of " + with.spec().name);
        return made;
    }

    static std::string legacy_params(session_host& with) {
        const std::string ours = fmt::format(
            R"({{"protocolVersion":"{}","capabilities":{{"roots":{{"listChanged":false}}}},"clientInfo":{}}})",
            legacy_revision, our_name());
        return util::json_merge(ours, std::get<worker_spec>(with.spec().detail).initialize_json);
    }

    // In the modern era each request says who asks.
    std::string with_identity(session_host& with, std::string params) const {
        if (!modern_) return params;
        const std::string_view given = util::json_find(params, {"_meta"});
        const std::string ours = fmt::format(
            R"({{"io.modelcontextprotocol/protocolVersion":"{}","io.modelcontextprotocol/clientInfo":{},"io.modelcontextprotocol/clientCapabilities":{}}})",
            revision_, about_us(with, "clientInfo", our_name()), about_us(with, "capabilities", "{}"));
        return util::json_set(params, {"_meta"}, util::json_merge(ours, given));
    }

    // One list, with all its pages, as an array.
    asio::awaitable<std::string> list_all(session_host& with, list_row row, util::deadline limit) {
        std::string items = "[";
        std::string cursor;
        for (int page = 0; page < pages_max; ++page) {
            std::string params = cursor.empty() ? "{}" : R"({"cursor":)" + cursor + "}";
            const std::string result =
                co_await with.ask(std::string(row.method), with_identity(with, std::move(params)), limit);
            const auto listed = util::json_array_elements(util::json_member_of(result, row.member));
            for (const auto item : listed.value_or(std::vector<std::string_view>()))
                items.append(items.size() > 1 ? "," : "").append(item);
            const std::string_view next = util::json_find(result, {"nextCursor"});
            if (next.empty() || next == "null") break;
            cursor = next;
        }
        co_return items + "]";
    }

    // Throws failure(usage) for what the tool's schema does not allow. The list may have changed without a
    // word, so what does not fit an old one is held against a new one.
    asio::awaitable<void> check_tool(session_host& with, std::string tool, std::string arguments,
                                     util::deadline limit) {
        for (bool fresh = tools_.empty();; fresh = true) {
            if (fresh) {
                tools_ = co_await list_all(with, lists[0], limit);
            }
            const auto wrong = mismatch(with.spec().name, tool, arguments);
            if (!wrong) co_return;
            if (fresh) throw failure(*wrong);
        }
    }

    std::optional<failure> mismatch(const std::string& unit, const std::string& tool,
                                    const std::string& arguments) const {
        std::vector<std::string> names;
        for (const auto item : util::json_array_elements(tools_).value_or(std::vector<std::string_view>())) {
            names.push_back(util::json_find_string(item, {"name"}).value_or(""));
            if (names.back() != tool) continue;
            const std::string_view schema = util::json_find(item, {"inputSchema"});
            const auto wrong = schema_mismatch(schema, arguments.empty() ? "{}" : arguments);
            if (!wrong) return std::nullopt;
            return failure(
                error_kind::usage,
                fmt::format("cannot call '{}': '{}' refuses its arguments: {}", unit, tool, *wrong),
                "KEY:=JSON gives a number, a boolean or a list, KEY=TEXT a text");
        }
        const std::vector<std::string_view> views(names.begin(), names.end());
        const auto near = util::nearest(tool, views);
        return failure(error_kind::usage, fmt::format("cannot call '{}': it has no tool '{}'", unit, tool),
                       near ? fmt::format("did you mean '{}'?", *near)
                            : fmt::format("`hob call {} --list` shows what it has", unit));
    }

    static void refuse_unfinished(session_host& with, const std::string& result, bool tool) {
        if (util::json_find_string(result, {"resultType"}) == "input_required") {
            throw failure(error_kind::worker_error,
                          fmt::format("cannot call '{}': it wants input first", with.spec().name),
                          "call it again with its requestState, and inputResponses in the params", result);
        }
        if (!tool || !util::json_find_true(result, {"isError"})) return;
        std::string words;
        const auto content = util::json_array_elements(util::json_find(result, {"content"}));
        for (const auto item : content.value_or(std::vector<std::string_view>()))
            words += util::json_find_string(item, {"text"}).value_or("") + " ";
        for (char& c : words) {
            if (c == '\n' || c == '\r') c = ' ';
        }
        while (words.ends_with(' '))
            words.pop_back();
        throw failure(error_kind::worker_error,
                      fmt::format("cannot call '{}': the tool failed{}{}", with.spec().name,
                                  words.empty() ? "" : ": ", words),
                      {}, result);
    }

    bool modern_ = false;
    bool another_ = false;
    std::string revision_{modern_revision};
    std::string capabilities_;
    std::string tools_;  // the array, as it was listed; empty: not yet, or no longer true
    std::shared_ptr<progress_tokens> tokens_ =
        std::make_shared<progress_tokens>();  // also held by each token
};

}  // namespace

std::shared_ptr<protocol_session> make_mcp_session() { return std::make_shared<mcp_session>(); }

}  // namespace hob::unit
